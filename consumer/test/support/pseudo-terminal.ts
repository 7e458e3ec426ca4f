import { finished } from 'node:stream/promises';
import { stripVTControlCharacters } from 'node:util';
import xterm from '@xterm/headless';
import { execa, execaSync, type ResultPromise } from 'execa';
import pWaitFor from 'p-wait-for';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/**
 * A program in a real pseudo terminal (script of util-linux), and what a terminal makes of what it
 * writes there (xterm.js without a window).
 */
export class PseudoTerminal {
  readonly pid: number;
  readonly ended: Promise<{ readonly exitCode: number }>;
  /** All that the program wrote. */
  output = '';
  /** Titles that the terminal was told to have. */
  readonly titles: string[] = [];
  readonly #script: ResultPromise;
  readonly #device: string;
  readonly #terminal: xterm.Terminal;

  private constructor(script: ResultPromise, device: string, pid: number, size: Size) {
    this.#script = script;
    this.#device = device;
    this.pid = pid;
    this.#terminal = new xterm.Terminal({
      cols: size.columns,
      rows: size.rows,
      allowProposedApi: true,
    });
    this.#terminal.onTitleChange((title) => this.titles.push(title));
    script.stdout?.on('data', (bytes: Buffer) => {
      this.output += bytes.toString();
      this.#terminal.write(bytes);
    });
    this.ended = this.#ending();
  }

  /** All that it wrote is on the screen by then. */
  async #ending(): Promise<{ readonly exitCode: number }> {
    const { exitCode = -1 } = await this.#script;
    if (this.#script.stdout) await finished(this.#script.stdout).catch(() => {}); // it was killed
    await new Promise<void>((resolve) => this.#terminal.write('', resolve));
    return { exitCode };
  }

  /** Resolves once the program runs in a terminal of that size. */
  static async start(command: readonly string[], size: Size): Promise<PseudoTerminal> {
    // The shell tells device and process id, and then is the program: `exec` keeps the id.
    const tell = `stty cols ${size.columns} rows ${size.rows}; echo "$(tty) $$"; exec "$@"`;
    const quoted = ['sh', '-c', tell, 'sh', ...command].map((word) => `'${word}'`).join(' ');
    const script = execa('script', ['-qefc', quoted, '/dev/null'], {
      reject: false,
      buffer: false,
      encoding: 'buffer',
      env: { TERM: 'xterm-256color', FORCE_COLOR: '1' },
    });
    let head = '';
    const [device, pid] = await new Promise<[string, number]>((resolve) => {
      const read = (bytes: Buffer) => {
        head += bytes.toString();
        const line = /^(\/dev\/\S+) (\d+)\r\n/.exec(head);
        if (line === null) return;
        script.stdout?.off('data', read);
        resolve([line[1] as string, Number(line[2])]);
      };
      script.stdout?.on('data', read);
    });
    return new PseudoTerminal(script as ResultPromise, device, pid, size);
  }

  /** What is on the screen now, without spaces at the ends of lines. */
  get screen(): string {
    const { active } = this.#terminal.buffer;
    const lines = Array.from({ length: this.#terminal.rows }, (_, row) =>
      active.getLine(active.viewportY + row)?.translateToString(true, 0, this.#terminal.cols),
    );
    return lines.join('\n').trimEnd();
  }

  /** Whether the screen is the one that programs take for themselves. */
  get isAlternate(): boolean {
    return this.#terminal.buffer.active.type === 'alternate';
  }

  press(keys: string): void {
    this.#script.stdin?.write(keys);
  }

  resize({ columns, rows }: Size): void {
    this.#terminal.resize(columns, rows);
    execaSync('stty', ['-F', this.#device, 'cols', String(columns), 'rows', String(rows)]);
  }

  /** The settings of the terminal's line, as stty names them. */
  settings(): string {
    return execaSync('stty', ['-F', this.#device, '-a']).stdout;
  }

  async waitFor(pattern: RegExp): Promise<void> {
    await pWaitFor(() => pattern.test(this.screen), { interval: 20, timeout: 15_000 }).catch(() => {
      const shown = stripVTControlCharacters(this.screen);
      throw new Error(`waited for ${pattern}, the screen is\n${shown}`);
    });
  }

  async kill(): Promise<void> {
    this.#script.kill('SIGKILL');
    await this.ended;
  }
}
