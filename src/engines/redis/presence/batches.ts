/** Splits a list in chunks of at most `size`. */
export function chunksOf<One>(all: readonly One[], size: number): One[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) =>
    all.slice(at * size, (at + 1) * size),
  );
}

/** Runs a task for each, `atOnce` in parallel. All run, even if some fail; then raises the first error. */
export async function forEachInBatches<One>(
  all: readonly One[],
  atOnce: number,
  task: (one: One) => Promise<void>,
): Promise<void> {
  let failed: PromiseRejectedResult | undefined;
  for (const some of chunksOf(all, atOnce)) {
    const settled = await Promise.allSettled(some.map(task));
    failed ??= settled.find((one) => one.status === 'rejected');
  }
  if (failed !== undefined) throw failed.reason;
}
