/** npm run docs: writes the README's tables of variables and problems anew from the code. */
import { writeReadmeTables } from './readme.js';

writeReadmeTables();
