const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const calendar = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });

/** The text to show for a message: a string and the `text` of an object as they are, anything else as JSON. */
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

/** `Today`, or the date of another day. */
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

/** A duration in the largest unit that gives at least two: 90 minutes, but 2 hours. */
export function durationOf(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const [size, unit] = UNITS.find(([size]) => seconds >= 2 * size) ?? [1, 'second'];
  return plural(Math.floor(seconds / size), unit, `${unit}s`);
}
