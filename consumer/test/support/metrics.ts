import { execa } from 'execa';

/** The samples of a /metrics answer, by name and labels as they are written. */
export function samples(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

/** Skips the enclosing describe where Prometheus' own tool is missing, unless CI is set. */
export function requirePromtool(): void {
  before(async function () {
    const { failed } = await execa('promtool', ['--version'], { reject: false });
    if (!failed) return;
    if (process.env.CI) throw new Error('there is no promtool');
    process.stdout.write('      skipped: there is no promtool (package prometheus)\n');
    this.skip();
  });
}
