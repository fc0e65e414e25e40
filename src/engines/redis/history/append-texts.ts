import { type Encoded, encoded } from '../connection/script-command.ts';
import type { Keys } from '../connection/keys.ts';
import { roomTag } from '../../../protocol/position.ts';

/** Rooms whose texts are kept; a pod that publishes in more makes some of them again. */
const MOST_ROOMS = 2_000;

/** What append.lua gets with every message of a room. */
export interface AppendText {
  /** The keys of the history and the state. */
  readonly names: readonly string[];
  /** The room's tag and channel. */
  readonly constants: Encoded;
}

/**
 * Encodes what is the same for all messages of a room once, for the rooms in which this pod has begun to publish last.
 */
export class AppendTexts {
  readonly #keys: Keys;
  readonly #texts = new Map<string, AppendText>();

  constructor(keys: Keys) {
    this.#keys = keys;
  }

  of(room: string): AppendText {
    const known = this.#texts.get(room);
    if (known !== undefined) return known;
    const keys = this.#keys;
    const names = [keys.history(room), keys.state(room)];
    const text = { names, constants: encoded([roomTag(room), keys.roomChannel(room)]) };
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
