/** The largest exponent of the table; the smallest is the negative of it. */
const POWER_MAX = 64;
const BITS = 128n;

/**
 * For each power of ten from 10^-64 to 10^64 its first 128 bits, the first of which is 1, cut off and not
 * rounded: the higher 64 and the lower 64.
 */
export function powersOfTen(): BigUint64Array {
  const words = new BigUint64Array(2 * (2 * POWER_MAX + 1));
  let at = 0;
  for (let power = -POWER_MAX; power <= POWER_MAX; power++) {
    const size = 10n ** BigInt(Math.abs(power));
    // Below one: so large a multiple that what is cut off is behind the bits that are wanted.
    const bits = firstBits(power < 0 ? (1n << (3n * BITS)) / size : size);
    words[at++] = bits >> 64n;
    words[at++] = BigInt.asUintN(64, bits);
  }
  return words;
}

function firstBits(number: bigint): bigint {
  const missing = BITS - BigInt(number.toString(2).length);
  return missing >= 0n ? number << missing : number >> -missing;
}
