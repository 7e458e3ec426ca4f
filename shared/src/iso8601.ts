const FORM =
  /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:Z|([+-])(\d\d):?(\d\d))?$/i;

const FRACTION_DIGITS_MAX = 6;

/**
 * Unix seconds of an ISO 8601 date and time, NaN for any other text.
 *
 * The date is the calendar form (`2015-09-12`); a `T` or one space follows, then `hh:mm`, `hh:mm:ss`
 * or `hh:mm:ss` with a fraction after a dot or a comma. The zone is `Z`, `±hh:mm`, `±hhmm`, or
 * nothing, which is UTC. A leap second (`:60`) is the first second of the next minute, as in Unix
 * time. Days that the month does not have, hour 24 and the like give NaN.
 *
 * Fraction digits past the sixth are cut off, not rounded: a double near today's Unix time holds no
 * more than six, and rounding `59.99999999` up would move an event into the next second's bucket.
 */
export function parseIso8601(text: string): number {
  const match = FORM.exec(text);
  if (match === null) return Number.NaN;
  const [year, month, day, hour, minute] = match.slice(1, 6).map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const second = Number(match[6] ?? 0);
  if (hour > 23 || minute > 59 || second > 60) return Number.NaN;
  const zoneHours = Number(match[9] ?? 0);
  const zoneMinutes = Number(match[10] ?? 0);
  if (zoneHours > 23 || zoneMinutes > 59) return Number.NaN;

  // Not Date.UTC: it takes the years 0 to 99 for 1900 to 1999.
  const midnight = new Date(0);
  midnight.setUTCFullYear(year, month - 1, day);
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) return Number.NaN;

  const zoneSeconds = (match[8] === '-' ? -1 : 1) * (zoneHours * 3600 + zoneMinutes * 60);
  const wholeSeconds = midnight.getTime() / 1000 + hour * 3600 + minute * 60 + second - zoneSeconds;
  return wholeSeconds + Number(`0.${(match[7] ?? '0').slice(0, FRACTION_DIGITS_MAX)}`);
}
