const POWER_MIN = -342;
const POWER_MAX = 308;
const BITS = 128n;
/** More bits than the least of them has zeros behind its point. */
const SHIFT = 1280n;

/**
 * For each power of ten from 10^-342 to 10^308 its first 128 bits, the first of which is 1, cut off and not
 * rounded: the higher 64 and the lower 64.
 */
export function powersOfTen(): BigUint64Array {
  const words = new BigUint64Array(2 * (POWER_MAX - POWER_MIN + 1));
  let at = 0;
  for (let power = POWER_MIN; power <= POWER_MAX; power++) {
    const size = 10n ** BigInt(Math.abs(power));
    const bits = firstBits(power < 0 ? (1n << SHIFT) / size : size);
    words[at++] = bits >> 64n;
    words[at++] = BigInt.asUintN(64, bits);
  }
  return words;
}

function firstBits(number: bigint): bigint {
  const missing = BITS - BigInt(number.toString(2).length);
  return missing >= 0n ? number << missing : number >> -missing;
}
