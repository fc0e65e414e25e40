/** A value at a time, in milliseconds. */
export interface Sample {
  readonly at: number;
  readonly value: number;
}

const HOUR_MS = 3_600_000;

/**
 * By how much the values rise in an hour: the slope of the straight line that fits them best. The first fifth is left
 * out, in which caches fill and code is compiled. Undefined where less than three are left.
 */
export function slopePerHour(samples: readonly Sample[]): number | undefined {
  const settled = samples.slice(Math.ceil(samples.length / 5));
  if (settled.length < 3) return undefined;
  const mean = (of: (sample: Sample) => number): number =>
    settled.reduce((sum, sample) => sum + of(sample), 0) / settled.length;
  const [at, value] = [mean((sample) => sample.at), mean((sample) => sample.value)];
  const spread = mean((sample) => (sample.at - at) ** 2);
  if (spread === 0) return undefined;
  return (mean((sample) => (sample.at - at) * (sample.value - value)) / spread) * HOUR_MS;
}
