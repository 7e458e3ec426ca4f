import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** All chance of a case: the same seed gives the same choices. */
export class Chance {
  readonly #random;

  constructor(seed: number) {
    this.#random = xoroshiro128plus(seed);
  }

  /** A whole number, both ends in. */
  int(min: number, max: number): number {
    return uniformInt(this.#random, min, max);
  }

  oneIn(n: number): boolean {
    return this.int(1, n) === 1;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.int(0, values.length - 1)] as T;
  }

  /** From 1 to `max`, each about half as likely as half of it: mostly small. */
  small(max: number): number {
    return this.int(1, Math.max(1, max >> this.int(0, Math.max(0, 31 - Math.clz32(max)))));
  }

  /** `length` values of a kind. */
  some<T>(length: number, make: () => T): T[] {
    return Array.from({ length }, make);
  }
}
