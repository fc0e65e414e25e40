import { z } from '@hono/zod-openapi';

const RULE = 'must be a time of RFC 3339, such as 2030-01-01T00:00:00Z, or seconds since 1970';
/** The last millisecond of the year 9999, which is the last that RFC 3339 can write. */
const LAST_MS = 253_402_300_799_999;

/** A moment: RFC 3339, or seconds since 1970 as in a token. Gives milliseconds. No union: generated clients want none. */
export const Moment = z
  .unknown()
  .transform((given, context) => {
    const ms = typeof given === 'number' ? Math.round(given * 1_000) : Date.parse(textOf(given));
    if (ms >= 0 && ms <= LAST_MS) return ms;
    context.addIssue({ code: 'custom', message: RULE });
    return z.NEVER;
  })
  .openapi({ description: `A moment: it ${RULE}.`, example: '2030-01-01T00:00:00Z' });

/** RFC 3339. */
export const Instant = z.iso.datetime({
  offset: true,
  error: 'must be a time of RFC 3339, such as 2030-01-01T00:00:00Z',
});

export function isoOf(ms: number): string {
  return new Date(Math.min(ms, LAST_MS)).toISOString();
}

/** Empty if it is no text of RFC 3339. */
function textOf(given: unknown): string {
  return Instant.safeParse(given).data ?? '';
}
