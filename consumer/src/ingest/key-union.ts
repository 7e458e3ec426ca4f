/**
 * How many keys several lists have, each once. Lists grow at their ends, or are replaced by others: of a
 * list that was seen before only what is new is looked at.
 */
export class KeyUnion {
  readonly #seen = new Map<readonly string[], number>();
  readonly #keys = new Set<string>();

  size(lists: readonly (readonly string[])[]): number {
    if ([...this.#seen.keys()].some((list) => !lists.includes(list))) {
      this.#seen.clear();
      this.#keys.clear();
    }
    for (const list of lists) {
      for (let i = this.#seen.get(list) ?? 0; i < list.length; i++) {
        this.#keys.add(list[i] as string);
      }
      this.#seen.set(list, list.length);
    }
    return this.#keys.size;
  }
}
