import { isUtf8 } from 'node:buffer';

/**
 * A file's name as text, no two names as the same. A backslash is written `\\`, and where the name is not
 * UTF-8, each of its bytes past ASCII `\xff`.
 */
export function sourceName(name: Buffer): string {
  if (isUtf8(name)) return name.toString().replaceAll('\\', '\\\\');
  return name
    .toString('latin1')
    .replace(/[\\\x80-\xff]/g, (byte) =>
      byte === '\\' ? '\\\\' : `\\x${byte.charCodeAt(0).toString(16)}`,
    );
}
