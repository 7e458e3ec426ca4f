import util from 'node:util';

/**
 * What the system says of an error, without the path, which is nobody's business:
 * `ENOENT: no such file or directory`.
 */
export function reasonOf(error: Error): string {
  const { errno, message } = error as NodeJS.ErrnoException;
  const entry = errno === undefined ? undefined : util.getSystemErrorMap().get(errno);
  return entry === undefined ? message : entry.join(': ');
}
