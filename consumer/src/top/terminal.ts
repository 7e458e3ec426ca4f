import { emitKeypressEvents, type Key } from 'node:readline';
import {
  beginSynchronizedOutput,
  cursorHide,
  cursorShow,
  cursorTo,
  endSynchronizedOutput,
  enterAlternativeScreen,
  eraseEndLine,
  exitAlternativeScreen,
} from 'ansi-escapes';
import { width } from './printable.js';
import type { Size } from './render.js';

/** A line that a terminal takes for wider than it was made must not go on below (DECAWM). */
const WRAP_OFF = '\u001B[?7l';
const WRAP_ON = '\u001B[?7h';
/** Where a terminal does not tell its size. */
const SIZE: Size = { columns: 80, rows: 24 };

/** The whole screen of a terminal, while it is open. */
export class Terminal {
  readonly #input: NodeJS.ReadStream;
  readonly #output: NodeJS.WriteStream;
  #isOpen = false;

  constructor(input: NodeJS.ReadStream, output: NodeJS.WriteStream) {
    this.#input = input;
    this.#output = output;
  }

  get size(): Size {
    const { columns, rows } = this.#output;
    return { columns: columns || SIZE.columns, rows: rows || SIZE.rows };
  }

  /** Without a terminal to read from there are no keys, but the signals that it would send. */
  open(onKey: (key: Key) => void, onResize: () => void): void {
    this.#isOpen = true;
    this.#output.write(enterAlternativeScreen + cursorHide + WRAP_OFF);
    this.#output.on('resize', onResize);
    if (!this.#input.isTTY) return;
    emitKeypressEvents(this.#input);
    this.#input.setRawMode(true);
    this.#input.on('keypress', (_text, key: Key) => onKey(key));
  }

  /** As many lines as there are rows. */
  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    const { columns } = this.size;
    // Behind a line that is full the cursor stands on its last character, which would be erased.
    const erased = lines.map((line) => (width(line) < columns ? line + eraseEndLine : line));
    this.#output.write(
      beginSynchronizedOutput + cursorTo(0, 0) + erased.join('\r\n') + endSynchronizedOutput,
    );
  }

  /** As it was before; once. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (this.#input.isTTY) this.#input.setRawMode(false);
    this.#output.write(WRAP_ON + cursorShow + exitAlternativeScreen);
  }
}
