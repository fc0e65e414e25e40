import { countsOf } from './report.ts';
import type { Variant } from './world.ts';
import type { Violation } from './evidence.ts';

/** What became of the seeds that were played. */
export class Summary {
  readonly #played: { variant: Variant; seed: number; violations: readonly Violation[] }[] = [];

  add(variant: Variant, seed: number, violations: readonly Violation[]): void {
    this.#played.push({ variant, seed, violations });
  }

  /** For each engine how many seeds, and how many violations of which kind; then the seeds that have some. */
  print(): void {
    const lines = [...Map.groupBy(this.#played, ({ variant }) => variant)].map(([variant, played]) => {
      const all = played.flatMap(({ violations }) => violations);
      const clean = played.filter(({ violations }) => violations.length === 0).length;
      return `${variant}: ${played.length} seeds, ${clean} without a violation; ${countsOf(all) || 'none'}`;
    });
    const dirty = this.#played.filter(({ violations }) => violations.length > 0);
    const seeds = dirty.map(
      ({ variant, seed, violations }) => `  ${variant} ${seed}: ${countsOf(violations)}`,
    );
    process.stdout.write(`${[...lines, ...seeds].join('\n')}\n`);
  }
}
