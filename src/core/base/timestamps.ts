/** The length of `2026-01-31T12:34:56.`: what messages of one second have in common. */
const SECOND_LENGTH = 20;
const ZERO = 48;

/**
 * Writes and reads timestamps as messages carry them: RFC 3339, UTC, milliseconds. Messages come many to a second, so
 * the last second written and the last one read are remembered; without that each message would format a date and parse
 * it again.
 */
export class Timestamps {
  #written = { second: Number.NaN, text: '' };
  #read = { ms: Number.NaN, text: '' };

  /** `ms` is in milliseconds since 1970. */
  write(ms: number): string {
    const second = Math.floor(ms / 1_000);
    if (second !== this.#written.second) {
      this.#written = { second, text: new Date(second * 1_000).toISOString().slice(0, SECOND_LENGTH) };
    }
    const rest = Math.floor(ms) - second * 1_000;
    const zeros = rest < 10 ? '00' : rest < 100 ? '0' : '';
    return `${this.#written.text}${zeros}${rest}Z`;
  }

  /** The timestamp at index `at` of a text, in milliseconds since 1970; undefined if there is none. */
  read(text: string, at: number): number | undefined {
    const { text: second } = this.#read;
    if (second === '' || !text.startsWith(second, at)) {
      const ms = Date.parse(`${text.slice(at, at + SECOND_LENGTH)}000Z`);
      if (Number.isNaN(ms)) return undefined;
      this.#read = { ms, text: text.slice(at, at + SECOND_LENGTH) };
    }
    const rest = digits(text, at + SECOND_LENGTH, 3);
    return Number.isNaN(rest) ? undefined : this.#read.ms + rest;
  }
}

/** A decimal number; NaN if there are other characters. */
function digits(text: string, from: number, length: number): number {
  let number = 0;
  for (let at = from; at < from + length; at += 1) {
    const digit = text.charCodeAt(at) - ZERO;
    number = digit >= 0 && digit <= 9 ? number * 10 + digit : Number.NaN;
  }
  return number;
}
