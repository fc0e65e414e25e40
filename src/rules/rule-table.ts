import { NamePattern } from '../protocol/name-pattern.ts';
import type { HistoryLimits, RoomRule } from '../core/ports/room-rules.ts';
import { decodeUser } from '../protocol/user-name.ts';

/** Rooms whose rule is remembered. Beyond it, the room that was looked up first is forgotten. */
const REMEMBERED = 10_000;

interface Entry {
  readonly pattern: NamePattern;
  readonly rule: RoomRule;
}

/** Finds the rule of a room: the first that fits. The rules are tried only once for a room that is in use. */
export class RuleTable {
  /** The largest size and the largest age of a history. */
  readonly widest: HistoryLimits;
  readonly #entries: readonly Entry[];
  readonly #otherwise: RoomRule;
  readonly #known = new Map<string, RoomRule>();

  constructor(rules: readonly RoomRule[], otherwise: RoomRule) {
    this.#otherwise = otherwise;
    const all = [otherwise, ...rules];
    this.widest = {
      historySize: Math.max(...all.map(({ historySize }) => historySize)),
      historyTtlMs: Math.max(...all.map(({ historyTtlMs }) => historyTtlMs)),
    };
    this.#entries = rules.map((rule) => ({ rule, pattern: new NamePattern(rule.match ?? '*') }));
  }

  ruleOf(room: string): RoomRule {
    return this.#known.get(room) ?? this.#find(room);
  }

  #find(room: string): RoomRule {
    const rule = this.#firstFitting(room) ?? this.#otherwise;
    if (this.#known.size >= REMEMBERED) this.#forgetOldest();
    this.#known.set(room, rule);
    return rule;
  }

  #forgetOldest(): void {
    for (const room of this.#known.keys()) {
      this.#known.delete(room);
      return;
    }
  }

  #firstFitting(room: string): RoomRule | undefined {
    for (const { pattern, rule } of this.#entries) {
      if (!pattern.hasUser) {
        if (pattern.fits(room, '')) return rule;
        continue;
      }
      const encoded = pattern.userIn(room);
      if (encoded !== undefined) return { ...rule, onlyUser: decodeUser(encoded) };
    }
    return undefined;
  }
}
