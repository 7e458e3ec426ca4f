/**
 * Bytes of an answer at most. As many keys as may be, each as long as may be, of characters for which JSON has
 * six bytes, would be five times as much, and several times that before they are sent.
 */
export const ANSWER_BYTES_MAX = 33_554_432;
/** So much text is written at once: the whole of a large answer never is a string. */
const PIECE_CHARACTERS = 65_536;

export class AnswerTooLargeError extends Error {
  override readonly name = 'AnswerTooLargeError';
}

/** Texts, end to end, in UTF-8. Throws AnswerTooLargeError. */
export function bodyOf(texts: Iterable<string>, bytesMax = ANSWER_BYTES_MAX): Buffer {
  const pieces: Buffer[] = [];
  let bytes = 0;
  let piece = '';
  const write = () => {
    const written = Buffer.from(piece);
    piece = '';
    bytes += written.length;
    if (bytes > bytesMax) throw new AnswerTooLargeError(`more than ${bytesMax} bytes`);
    pieces.push(written);
  };
  for (const text of texts) {
    piece += text;
    if (piece.length >= PIECE_CHARACTERS) write();
  }
  write();
  return Buffer.concat(pieces, bytes);
}
