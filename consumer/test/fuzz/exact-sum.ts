/** Doubles in units of the smallest one, as which each is a whole number. */
const conversion = new DataView(new ArrayBuffer(8));

function toUnits(value: number): bigint {
  conversion.setFloat64(0, value);
  const bits = conversion.getBigUint64(0);
  const exponent = (bits >> 52n) & 0x7ffn;
  const fraction = bits & 0xf_ffff_ffff_ffffn;
  const units = exponent === 0n ? fraction : (fraction | (1n << 52n)) << (exponent - 1n);
  return value < 0 ? -units : units;
}

const magnitude = (units: bigint) => (units < 0n ? -units : units);

const HALF_OF_RANGE = toUnits(2 ** 1023);

/**
 * Whether a number is the sum of doubles, but for what compensated summation may round away. Where sums in
 * between may have left the range of doubles, any number is.
 */
export function isSumOf(total: number, values: readonly number[]): boolean {
  let sum = 0n;
  let magnitudes = 0n;
  for (const value of values) {
    const units = toUnits(value);
    sum += units;
    magnitudes += magnitude(units);
  }
  if (magnitudes > HALF_OF_RANGE) return true;
  if (!Number.isFinite(total)) return false;
  return magnitude(toUnits(total) - sum) <= (magnitude(sum) >> 50n) + (magnitudes >> 80n) + 1n;
}
