// What the command lines of the generator and of the replay have in common. A value that is not
// exactly a plain decimal number is refused: `Number('')` is 0 and `Number('0x10')` is 16, and a
// generator that quietly runs at another rate than the one that was meant is worse than none.
import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';

const WHOLE = /^\d+$/;
const DECIMAL = /^\d+(\.\d+)?(e[+-]?\d+)?$/i;

// Below this, about once in twelve days, a rate is more likely a mistake than meant.
export const RATE_MIN = 0.000_001;
export const RATE_MAX = 10_000_000;

function parseDecimal(text: string): number {
  return DECIMAL.test(text) ? Number(text) : Number.NaN;
}

/** Per second: from `RATE_MIN` to `RATE_MAX`, both in; `max` is `Infinity`. Throws for anything else. */
export function parseRate(text: string): number {
  if (text === 'max') return Number.POSITIVE_INFINITY;
  const rate = parseDecimal(text);
  if (rate >= RATE_MIN && rate <= RATE_MAX) return rate;
  throw new InvalidArgumentError(
    `It must be a number from 0.000001 to ${RATE_MAX}, or max for as fast as they are taken.`,
  );
}

/** From 0 to 1, both in. Throws for anything else. */
export function parseShare(text: string): number {
  const share = parseDecimal(text);
  if (share >= 0 && share <= 1) return share;
  throw new InvalidArgumentError('It must be a number from 0 to 1.');
}

/** A parser of whole numbers from `min` to `max`, both in. The parser throws for anything else. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = WHOLE.test(text) ? Number(text) : Number.NaN;
    if (Number.isSafeInteger(number) && number >= min && number <= max) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

export function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
