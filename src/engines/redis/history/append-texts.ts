import { type Encoded, encoded } from '../connection/script-command.ts';
import type { Keys } from '../connection/keys.ts';
import { roomTag } from '../../../protocol/position.ts';

/** Rooms whose texts are kept; a pod that publishes in more makes some of them again. */
const MOST_ROOMS = 2_000;

/** What append.lua gets with every message of a room. */
export interface AppendText {
  readonly names: readonly string[];
  readonly encodedNames: Encoded;
  /** The first arguments of append.lua; the claim is before them. */
  readonly constants: Encoded;
}

/**
 * Encodes what is the same for all messages of a room once, for the rooms in which this pod has begun to publish last.
 */
export class AppendTexts {
  readonly #keys: Keys;
  /** Arguments that are the same in all rooms. */
  readonly #constants: readonly (string | number)[];
  readonly #texts = new Map<string, AppendText>();

  constructor(keys: Keys, constants: readonly (string | number)[]) {
    this.#keys = keys;
    this.#constants = constants;
  }

  of(room: string): AppendText {
    const known = this.#texts.get(room);
    if (known !== undefined) return known;
    const keys = this.#keys;
    const names = [keys.epochOf(room), keys.history(room), keys.state(room)];
    const constants = encoded([...this.#constants, roomTag(room), keys.roomChannel(room)]);
    const text = { names, encodedNames: encoded(names), constants };
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
