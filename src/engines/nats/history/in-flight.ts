import { NatsNotTaken, natsUnavailable } from '../connection/answers.ts';
import { Refused } from '../../../core/base/refused.ts';
import { Unavailable } from '../../shared/unavailable.ts';

/** One publication on its way, as `InFlight.run` hands it to `send`. */
export interface Flight {
  /** The server has stored it, now or earlier. */
  stored: () => void;
  /** Whether a later publication of the room was sent meanwhile. */
  readonly isOvertaken: boolean;
}

interface Entry {
  readonly index: number;
  /** It was sent or failed, and so was every earlier one of the room: the next may be sent. */
  readonly released: PromiseWithResolvers<void>;
  readonly answered: PromiseWithResolvers<void>;
  isStored: boolean;
}

interface Line {
  /** In the order of `run`. */
  readonly entries: Set<Entry>;
  last: Entry | undefined;
  lastSent: number;
  lastStored: number;
  isBroken: boolean;
}

/**
 * The publications of each room that are in flight at once. They are sent in order over one connection. After one has
 * failed, none of the room is sent before all are answered: the queue then sends those that failed again, in their
 * order.
 */
export class InFlight {
  readonly #lines = new Map<string, Line>();
  #total = 0;

  /**
   * So many publications of the room may be in flight, if this pod has at most `most` of all rooms; always at least
   * one.
   */
  mostIn(room: string, most: number): number {
    const line = this.#lines.get(room);
    if (line === undefined) return Math.max(1, most - this.#total);
    return line.isBroken ? 1 : Math.max(1, line.entries.size + most - this.#total);
  }

  /**
   * Runs `prepare` at once, and `send`, which must send before it first waits, after all earlier ones of the room were
   * sent. Raises what they raise, once all later ones are answered. If the server has stored a later one and said that
   * it did not store this one, raises `unavailable` as a final error: sent again, it would stand after the later one.
   */
  async run<Prepared, Result>(
    room: string,
    prepare: () => Promise<Prepared>,
    send: (prepared: Prepared, flight: Flight) => Promise<Result>,
  ): Promise<Result> {
    const line = this.#lineOf(room);
    const { entry, before } = enter(line);
    this.#total += 1;
    try {
      const prepared = await prepare();
      await before;
      if (line.isBroken) throw natsUnavailable('an earlier publication of the room has failed');
      line.lastSent = entry.index;
      const sent = send(prepared, {
        stored: () => {
          entry.isStored = true;
          line.lastStored = Math.max(line.lastStored, entry.index);
        },
        get isOvertaken() {
          return line.lastSent > entry.index;
        },
      });
      entry.released.resolve();
      return await sent;
    } catch (error) {
      if (error instanceof Unavailable) line.isBroken = true;
      await before;
      entry.released.resolve();
      entry.answered.resolve();
      await Promise.all(answersAfter(line, entry));
      if (error instanceof NatsNotTaken && !entry.isStored && line.lastStored > entry.index)
        throw new Refused('unavailable', error.message);
      throw error;
    } finally {
      entry.answered.resolve();
      line.entries.delete(entry);
      this.#total -= 1;
      if (line.entries.size === 0) this.#lines.delete(room);
    }
  }

  #lineOf(room: string): Line {
    let line = this.#lines.get(room);
    if (line === undefined) {
      line = { entries: new Set(), last: undefined, lastSent: 0, lastStored: 0, isBroken: false };
      this.#lines.set(room, line);
    }
    return line;
  }
}

function enter(line: Line): { entry: Entry; before: Promise<void> | undefined } {
  const { last } = line;
  const entry = {
    index: (last?.index ?? 0) + 1,
    released: Promise.withResolvers<void>(),
    answered: Promise.withResolvers<void>(),
    isStored: false,
  };
  line.entries.add(entry);
  line.last = entry;
  return { entry, before: last?.released.promise };
}

function answersAfter({ entries }: Line, { index }: Entry): Promise<void>[] {
  return [...entries].filter((other) => other.index > index).map(({ answered }) => answered.promise);
}
