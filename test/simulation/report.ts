import type { Outcome } from './worker.ts';
import { TIMES } from './plan/plan.ts';

/** What many seeds came to. */
export class Report {
  #seeds = 0;
  #events = 0;
  readonly #placements = new Map<string, number>();
  readonly #kinds = new Map<string, { seeds: Set<number>; text: string }>();

  add({ from, to, events, violations, placements }: Outcome, kind: string | undefined): void {
    this.#seeds += to - from + 1;
    this.#events += events;
    for (const [name, count] of Object.entries(placements)) {
      this.#placements.set(name, (this.#placements.get(name) ?? 0) + count);
    }
    for (const one of violations) {
      if (kind !== undefined && one.kind !== kind) continue;
      const known = this.#kinds.get(one.kind);
      if (known === undefined)
        this.#kinds.set(one.kind, { seeds: new Set([one.seed]), text: `${one.seed}: ${one.text}` });
      else known.seeds.add(one.seed);
    }
  }

  get clean(): boolean {
    return this.#kinds.size === 0;
  }

  get seeds(): number {
    return this.#seeds;
  }

  text(seconds: number, played: number): string {
    const perSecond = played / seconds;
    const virtual = (perSecond * TIMES.end) / 1_000;
    const placements = [...this.#placements].map(([name, count]) => `${name} ${count}`);
    const kinds = [...this.#kinds]
      .sort(([, one], [, other]) => other.seeds.size - one.seeds.size)
      .map(
        ([kind, { seeds, text }]) =>
          `  ${kind} in ${seeds.size} seeds (${[...seeds]
            .sort((a, b) => a - b)
            .slice(0, 6)
            .join(', ')}), as ${text.slice(0, 240)}`,
      );
    return [
      `${this.#seeds} seeds (${placements.join(', ')}), ${this.#events} events`,
      `${perSecond.toFixed(1)} seeds a second, ${virtual.toFixed(0)} virtual seconds a second`,
      kinds.length === 0 ? 'no violations' : `violations:\n${kinds.join('\n')}`,
    ].join('\n');
  }
}
