const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const calendar = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });

/** Any publisher may send any JSON: text is shown as it is, and so is `{"text": …}`; the rest as JSON. */
export function textOf(data: unknown): string {
  if (typeof data === 'string') return data;
  if (typeof data === 'object' && data !== null && 'text' in data && typeof data.text === 'string') {
    return data.text;
  }
  return JSON.stringify(data);
}

export function timeOf(date: Date): string {
  return clock.format(date);
}

/** "Today", or the date of an earlier day. */
export function dayOf(date: Date, now = new Date()): string {
  return date.toDateString() === now.toDateString() ? 'Today' : calendar.format(date);
}

export function plural(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

const UNITS = [
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
] as const;

/** How long, in the largest unit of which there are two: 90 minutes, but 2 hours. */
export function durationOf(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const [size, unit] = UNITS.find(([size]) => seconds >= 2 * size) ?? [1, 'second'];
  return plural(Math.floor(seconds / size), unit, `${unit}s`);
}
