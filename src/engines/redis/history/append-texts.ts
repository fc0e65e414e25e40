import { type Encoded, encoded } from '../connection/script-command.ts';
import type { HistoryLimits } from '../../../core/ports/room-rules.ts';
import type { Keys } from '../connection/keys.ts';
import { roomTag } from '../../../protocol/position.ts';

/** Rooms whose texts are kept; a pod that publishes in more makes some of them again. */
const MOST_ROOMS = 2_000;

/** What append.lua gets with every message of a room. */
export interface AppendText {
  /** The keys of the history and the state. */
  readonly names: readonly string[];
  readonly limits: HistoryLimits;
  /** The room's tag and channel, and the limits of its history. */
  readonly constants: Encoded;
}

/**
 * Encodes what is the same for all messages of a room once, for the rooms in which this pod has begun to publish last.
 */
export class AppendTexts {
  readonly #keys: Keys;
  readonly #limitsOf: (room: string) => HistoryLimits;
  readonly #texts = new Map<string, AppendText>();

  constructor(keys: Keys, limitsOf: (room: string) => HistoryLimits) {
    this.#keys = keys;
    this.#limitsOf = limitsOf;
  }

  of(room: string): AppendText {
    const known = this.#texts.get(room);
    const limits = this.#limitsOf(room);
    if (known !== undefined && isSame(known.limits, limits)) return known;
    const keys = this.#keys;
    const names = [keys.history(room), keys.state(room)];
    const { historySize, historyTtlMs } = limits;
    const constants = encoded([roomTag(room), keys.roomChannel(room), historySize, historyTtlMs]);
    const text = { names, limits, constants };
    if (this.#texts.size >= MOST_ROOMS) this.#forgetOldest();
    this.#texts.set(room, text);
    return text;
  }

  #forgetOldest(): void {
    for (const room of this.#texts.keys()) {
      this.#texts.delete(room);
      return;
    }
  }
}

function isSame(one: HistoryLimits, other: HistoryLimits): boolean {
  return one.historySize === other.historySize && one.historyTtlMs === other.historyTtlMs;
}
