const DEFAULT_PORT = /^(http:.*):80$|^(https:.*):443$/;

/**
 * Which pages may connect: exact origins (`https://app.example.com`), or all below a domain (`https://*.example.com`,
 * one or more labels); `*` is any. Scheme and port must be equal. One list serves the upgrade and CORS.
 */
export class Origins {
  readonly #exact: ReadonlySet<string>;
  readonly #below: readonly { readonly start: string; readonly end: string }[];
  readonly any: boolean;

  constructor(patterns: readonly string[]) {
    // As browsers write them: in small letters, without the port that the scheme implies.
    const lower = patterns.map((pattern) => pattern.toLowerCase().replace(DEFAULT_PORT, '$1$2'));
    this.any = lower.includes('*');
    this.#exact = new Set(lower.filter((pattern) => !pattern.includes('*')));
    this.#below = lower
      .filter((pattern) => pattern.includes('//*.'))
      .map((pattern) => ({
        start: pattern.slice(0, pattern.indexOf('*')),
        end: pattern.slice(pattern.indexOf('*') + 1),
      }));
  }

  allow(origin: string): boolean {
    if (this.any || this.#exact.has(origin)) return true;
    return this.#below.some(
      ({ start, end }) =>
        origin.startsWith(start) &&
        origin.endsWith(end) &&
        /^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/.test(origin.slice(start.length, -end.length)),
    );
  }
}
