/**
 * A sum of doubles that keeps what each addition rounds away: Neumaier's variant of Kahan's
 * compensated summation (A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher
 * Summen", ZAMM 54, 1974). Its error does not grow with the number of values.
 */
export class RunningSum {
  #sum = 0;
  #compensation = 0;
  #count = 0;

  /** How many values were added. */
  get count(): number {
    return this.#count;
  }

  /** The sum; ±Infinity or NaN once it has left the range of doubles. */
  get total(): number {
    return Number.isFinite(this.#sum) ? this.#sum + this.#compensation : this.#sum;
  }

  add(value: number): void {
    this.#count++;
    this.#accumulate(value);
  }

  /** Adds all that another sum has been given. */
  merge(other: RunningSum): void {
    this.#count += other.#count;
    this.#accumulate(other.#sum);
    // Past the range of doubles there is nothing to compensate, and no number that says so.
    if (Number.isFinite(other.#compensation)) this.#accumulate(other.#compensation);
  }

  #accumulate(value: number): void {
    const sum = this.#sum + value;
    this.#compensation +=
      Math.abs(this.#sum) >= Math.abs(value) ? this.#sum - sum + value : value - sum + this.#sum;
    this.#sum = sum;
  }

  /** What crosses a thread: sum, compensation, count. */
  toParts(): readonly [sum: number, compensation: number, count: number] {
    return [this.#sum, this.#compensation, this.#count];
  }

  static fromParts([sum, compensation, count]: readonly [number, number, number]): RunningSum {
    const running = new RunningSum();
    running.#sum = sum;
    running.#compensation = compensation;
    running.#count = count;
    return running;
  }

  /** The sum whose parts are the three numbers of index i in a column of parts. */
  static at(parts: Float64Array, i: number): RunningSum {
    return RunningSum.fromParts([
      parts[3 * i] as number,
      parts[3 * i + 1] as number,
      parts[3 * i + 2] as number,
    ]);
  }
}

/** Sums by id. */
export interface SumColumns {
  readonly ids: Uint32Array<ArrayBuffer>;
  /** The three parts of each, end to end. */
  readonly parts: Float64Array<ArrayBuffer>;
}

/** As columns of the caller's own. */
export function sumColumns(sums: ReadonlyMap<number, RunningSum>): SumColumns {
  const parts = new Float64Array(3 * sums.size);
  let at = 0;
  for (const sum of sums.values()) {
    parts.set(sum.toParts(), at);
    at += 3;
  }
  return { ids: Uint32Array.from(sums.keys()), parts };
}
