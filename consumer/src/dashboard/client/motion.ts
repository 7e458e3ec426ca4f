const reduced = matchMedia('(prefers-reduced-motion: reduce)');

export function isMotionReduced(): boolean {
  return reduced.matches;
}
