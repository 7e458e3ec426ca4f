import type { KeyTotal } from '../tally/ranking.js';

/**
 * The types that have a series of their own: the first n, and of those that once were so those that are
 * still among the first 2n. So two types that keep overtaking each other at the edge do not flap, and
 * there are never more than 2n.
 */
export class TopTypes {
  readonly #limit: number;
  #shown: ReadonlySet<string> = new Set();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The types to show now, of a ranking of at least 2n where there are so many. */
  update(ranking: readonly KeyTotal[]): readonly KeyTotal[] {
    const types = ranking
      .slice(0, 2 * this.#limit)
      .filter(({ key }, rank) => rank < this.#limit || this.#shown.has(key));
    this.#shown = new Set(types.map(({ key }) => key));
    return types;
  }
}
