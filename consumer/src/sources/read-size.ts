/**
 * How much may be read at once: as much as is counted in three milliseconds, or in half of one while questions
 * come. Long reads are cheaper, as each wakes its writer, has a record in the journal, and goes through Node's
 * streams; but other FIFOs and questions wait for as long as one takes, and what is in hand is lost if the
 * process is killed.
 */

/** What all FIFOs' reads may take together before each has had its turn, at the pace of the last one. */
const TURN_SECONDS = 0.003;
/** The same where a question has come in the last tenth of a second: others follow it. */
const ASKED_TURN_SECONDS = 0.0005;
const ASKED_SECONDS = 0.1;

/** Also where that takes longer: a pipe's capacity on Linux, pipe(7), where nobody has changed it. */
export const READ_BYTES_MIN = 65_536;

export class ReadSize {
  readonly #bytesMax: number;
  /** Unknown at first: many full pipes may wait for a consumer that starts. */
  #bytesPerSecond = 0;
  #askedAt = Number.NEGATIVE_INFINITY;

  /** `bytesMax`: READ_BYTES_MIN at least. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** So long it took to count what was read. */
  note(bytes: number, seconds: number): void {
    // What is short says little, and a clock may stand still for so long.
    if (bytes >= READ_BYTES_MIN / 2 && seconds > 0) this.#bytesPerSecond = bytes / seconds;
  }

  /** A question has come, at a time in seconds of any clock that only goes forward. */
  noteQuestion(now: number): void {
    this.#askedAt = now;
  }

  /** Bytes of the next read at most, where so many FIFOs are read. */
  next(fifos: number, now: number): number {
    const turnSeconds = now - this.#askedAt < ASKED_SECONDS ? ASKED_TURN_SECONDS : TURN_SECONDS;
    const bytes = Math.floor((this.#bytesPerSecond * turnSeconds) / Math.max(1, fifos));
    return Math.min(this.#bytesMax, Math.max(READ_BYTES_MIN, bytes));
  }
}
