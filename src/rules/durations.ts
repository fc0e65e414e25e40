const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A number with a unit: seconds, minutes, hours or days. */
export const DURATION = /^\d{1,9}[smhd]$/;

/** Milliseconds of a duration such as `90s` or `7d`; only 0 is understood without a unit. */
export function durationMs(duration: string | 0): number {
  if (duration === 0) return 0;
  return Number(duration.slice(0, -1)) * UNITS[duration.slice(-1) as keyof typeof UNITS];
}
