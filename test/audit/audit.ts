/**
 * npm run audit: known vulnerabilities of what is installed at run time, as the registry tells them. Exits
 * with 1 where there is one; where nobody can be asked it says so, and exits with 0.
 */
import { execa } from 'execa';
import { judgeAudit } from './judge-audit.js';

const { stdout } = await execa('npm', ['audit', '--omit=dev', '--json'], { reject: false });
const { isClean, text } = judgeAudit(stdout);
process.stdout.write(`npm audit: ${text}\n`);
process.exitCode = isClean ? 0 : 1;
