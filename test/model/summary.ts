import { countsOf } from './report.ts';
import type { Variant } from './world.ts';
import type { Violation } from './evidence.ts';

/** As much of an error as a line of a summary takes. */
const ERROR_CHARS = 200;

/** What became of the seeds that were played. */
export class Summary {
  readonly #failed: string[] = [];
  readonly #played: { variant: Variant; seed: number; violations: readonly Violation[] }[] = [];

  add(variant: Variant, seed: number, violations: readonly Violation[]): void {
    this.#played.push({ variant, seed, violations });
  }

  /** It could not be played to its end, so nothing is known of it. */
  failed(variant: Variant, seed: number, error: unknown): void {
    this.#failed.push(`  ${variant} ${seed} was not played: ${String(error).slice(0, ERROR_CHARS)}`);
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
    process.stdout.write(`${[...lines, ...seeds, ...this.#failed].join('\n')}\n`);
  }
}
