/** The median; of an even count the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

/** The value below which `share` (0 to 1) of the sorted values lie. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** How many of the values lie in the fullest span of this length, wherever it begins; its end is not part of it. */
export function busiest(values: readonly number[], length: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  let [first, most] = [0, 0];
  for (const [index, value] of sorted.entries()) {
    while (value - (sorted[first] ?? value) >= length) first++;
    most = Math.max(most, index - first + 1);
  }
  return most;
}
