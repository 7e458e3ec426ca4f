/** npm run docs: writes the README's table of variables anew from the configuration's schema. */
import { writeReadmeTable } from './readme.js';

writeReadmeTable();
