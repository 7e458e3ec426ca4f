/** Numbers and times as the terminal and the page write them, the same on the server and in every browser. */
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const oneDigit = new Intl.NumberFormat('en', {
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
});

export function formatCount(count: number): string {
  return whole.format(count);
}

/** Of events a second; the digit after the point only where it says something. */
export function formatRate(rate: number): string {
  return rate < 100 ? oneDigit.format(rate) : whole.format(rate);
}

export function formatShare(part: number, total: number): string {
  if (total === 0 || part === 0) return '0%';
  const percent = (part / total) * 100;
  if (percent < 0.1) return '<0.1%';
  if (part < total && percent > 99.9) return '>99.9%';
  return part === total ? '100%' : `${oneDigit.format(percent)}%`;
}

export function formatDuration(seconds: number): string {
  const s = Math.floor(seconds);
  if (s < 120) return `${s} s`;
  const minutes = Math.floor(s / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h`;
  return `${Math.floor(hours / 24)} days`;
}

/** Largest time that a Date can hold, in seconds. */
const DATE_SECONDS_MAX = 8.64e12;

function iso(seconds: number): string {
  return seconds <= DATE_SECONDS_MAX ? new Date(seconds * 1000).toISOString() : '';
}

/** Unix seconds as time of day, UTC: 06:41:53. */
export function formatTime(seconds: number): string {
  const text = iso(seconds);
  return text === '' ? String(seconds) : text.slice(text.indexOf('T') + 1, -5);
}

/** Unix seconds as date and time, UTC: 2017-11-02 06:41:53. */
export function formatDateTime(seconds: number): string {
  const text = iso(seconds);
  return text === ''
    ? String(seconds)
    : `${text.slice(0, text.indexOf('T'))} ${formatTime(seconds)}`;
}

/** Half-open, Unix seconds: 2017-11-02 06:40:54 – 06:41:54 UTC. */
export function formatInterval({ start, end }: { start: number; end: number }): string {
  const [from, to] = [formatDateTime(start), formatDateTime(end)];
  const sameDay = from.slice(0, from.indexOf(' ')) === to.slice(0, to.indexOf(' '));
  return `${from} – ${sameDay ? formatTime(end) : to} UTC`;
}
