/** Median, smallest and largest, for people. */
export function spread(values: readonly number[], digits: number): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) =>
    (sorted[Math.floor((sorted.length - 1) * share)] as number).toFixed(digits);
  return `${at(0.5)} (${at(0)}–${at(1)})`;
}
