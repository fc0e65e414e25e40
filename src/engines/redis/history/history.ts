import type { Page, ReadFrom, Stored } from '../../../core/ports/broker.ts';
import { missingSince, type RoomFacts, runOf, resumeOutcome } from './missing.ts';
import { parsePosition, roomTag } from '../../../protocol/position.ts';
import { type Added, APPEND, AppendBatches } from './append-batches.ts';
import { type Script, scriptsIn } from '../connection/script.ts';
import { Unavailable } from '../../shared/unavailable.ts';
import type { Backbone } from '../connection/backbone.ts';
import { POSITION_MS } from '../../shared/terms.ts';
import type { Publication } from '../../shared/publication.ts';
import type { HistoryLimits } from '../../../core/ports/room-rules.ts';
import type { Shard } from '../connection/shard.ts';

const script = scriptsIn('history');
const READ = script('read');
const MARK_LOST = script('mark-lost');
const NEWEST = script('newest');
export const HISTORY_SCRIPTS: readonly Script[] = [APPEND, READ, MARK_LOST, NEWEST];

/**
 * How long a room without publications is remembered: as long as its positions are promised to be known, and a little
 * more for clocks. If it were forgotten sooner, a client that resumes would get `history_lost`.
 */
const UNUSED_ROOM_MS = POSITION_MS + 60_000;
const BEGINNING = '0-0';
/** Facts about the room at the start of the reply of read.lua; the messages follow. */
const FACTS = 9;
/** Rooms verified after a failover, and rooms verified in parallel. */
const MOST_ACKNOWLEDGED = 10_000;
const LOOKED_AT_ONCE = 100;

export interface RedisHistoryOptions {
  readonly backbone: Backbone;
  readonly limitsOf: (room: string) => HistoryLimits;
}

interface Where {
  readonly mode: 'after' | 'newest';
  /** A stream id, or a number of messages. */
  readonly at: string;
  /** Run of the server that made the position; empty if unknown. */
  readonly run: string;
  /** Messages that follow the position without a gap, and that the pod has read before. */
  readonly known: readonly Stored[];
}

interface Read {
  readonly page: Page;
  readonly facts: RoomFacts;
}

/**
 * The history of rooms in Redis: for each room a stream, whose entries name their predecessor, and a hash with facts
 * that outlive them (docs/adr/0006-history-in-redis.md). All methods raise Unavailable.
 */
export class RedisHistory {
  readonly #options: RedisHistoryOptions;
  readonly #batches: AppendBatches;
  /**
   * The last position that this pod was given in each room, which also names the run of the server; the latest is last.
   */
  readonly #acknowledged = new Map<string, string>();

  constructor(options: RedisHistoryOptions) {
    this.#options = options;
    const { backbone, limitsOf } = options;
    this.#batches = new AppendBatches(backbone, limitsOf);
  }

  /** Appends and publishes in one step. Calls `settle` with what became of it, never before it returns. */
  append(publication: Publication, settle: (added: Added | Error) => void): void {
    const shard = this.#options.backbone.placement.shardOfRoom(publication.room);
    this.#batches.add(shard, publication, settle);
  }

  /** A publisher is about to get an ack with this position, so that `verify` has to find it. */
  acknowledged(room: string, id: string): void {
    this.#acknowledged.delete(room);
    this.#acknowledged.set(room, id);
    if (this.#acknowledged.size > MOST_ACKNOWLEDGED) this.#forgetOldest();
  }

  /**
   * `remember`: the room is in use here, so that its position must stay valid even if it has no messages. `known`: as
   * for `Broker.read`.
   */
  async read(
    room: string,
    from: ReadFrom,
    limit: number,
    remember: boolean,
    known: readonly Stored[] = [],
  ): Promise<Page> {
    const read = (
      mode: 'after' | 'newest',
      at: string,
      run = '',
      following: readonly Stored[] = [],
    ): Promise<Read> => this.#read(room, { mode, at, run, known: following }, limit, remember);
    if ('newest' in from) return (await read('newest', String(from.newest))).page;
    if ('since' in from) {
      const { page, facts } = await read('after', `${from.since}-0`);
      return { ...page, missing: missingSince(from.since, facts) };
    }
    const position = parsePosition(from.after);
    const id = position === undefined ? BEGINNING : `${position.ms}-${position.seq}`;
    const first = known.findIndex(({ prev }) => prev === from.after);
    const following = first === -1 ? [] : known.slice(first);
    const { page, facts } = await read('after', id, runOf(position?.epoch ?? ''), following);
    const { missing, goesOn, isNewLoss } = resumeOutcome(from, roomTag(room), facts);
    // A client's claim must not change what others get, so only a position of this pod counts.
    if (isNewLoss && from.isOurs === true) await this.#markLost(room, id, Number(facts.ended));
    return { ...(goesOn ? page : (await read('after', BEGINNING)).page), missing };
  }

  /**
   * After a failover: finds out whether the new master lacks acknowledged messages. Reading from them marks the loss.
   */
  async verify(): Promise<void> {
    const all = [...this.#acknowledged];
    for (let at = 0; at < all.length; at += LOOKED_AT_ONCE) {
      const some = all.slice(at, at + LOOKED_AT_ONCE);
      await Promise.all(some.map(([room, id]) => this.#verifyRoom(room, id)));
    }
  }

  async #verifyRoom(room: string, id: string): Promise<void> {
    const shard = this.#options.backbone.placement.shardOfRoom(room);
    try {
      if (runOf(parsePosition(id)?.epoch ?? '') === shard.run) return;
      await this.read(room, { after: id, isOurs: true }, 0, false);
      if (this.#acknowledged.get(room) === id) this.#acknowledged.delete(room);
    } catch (error) {
      // It is verified when its server is back.
      if (!(error instanceof Unavailable)) throw error;
    }
  }

  #forgetOldest(): void {
    for (const room of this.#acknowledged.keys()) {
      this.#acknowledged.delete(room);
      return;
    }
  }

  /**
   * The newest position of each room that can be reached, and keeps these rooms remembered; undefined if Redis knows
   * nothing of the room. Rooms that cannot be reached are left out.
   */
  async newest(rooms: readonly string[]): Promise<[room: string, position: string | undefined][]> {
    const { keys, placement } = this.#options.backbone;
    const parts = Map.groupBy(rooms, (room) => placement.slotOf(keys.state(room)));
    const all = await Promise.all([...parts.values()].map((part) => this.#newestOfPart(part)));
    return all.flat();
  }

  async #newestOfPart(rooms: readonly string[]): Promise<[room: string, position: string | undefined][]> {
    const { keys, placement } = this.#options.backbone;
    const states = rooms.map((room) => keys.state(room));
    try {
      const newest = (await placement
        .shardOf(states[0] ?? '')
        .call(NEWEST, states, [UNUSED_ROOM_MS])) as string[];
      return rooms.map((room, index) => [room, newest[index] || undefined]);
    } catch (error) {
      if (error instanceof Unavailable) return [];
      throw error;
    }
  }

  async #read(
    room: string,
    { mode, at, run, known }: Where,
    limit: number,
    remember: boolean,
  ): Promise<Read> {
    const { backbone } = this.#options;
    const { keys } = backbone;
    const shard = backbone.placement.shardOfRoom(room);
    const tag = roomTag(room);
    const last = known.length > limit ? undefined : known.at(-1);
    const reply = (await shard.call(
      READ,
      [keys.epochOf(room), keys.history(room), keys.state(room)],
      [
        shard.epoch,
        shard.now(),
        tag,
        this.#ttlOf(room),
        mode,
        at,
        limit + 1,
        remember ? '1' : '',
        UNUSED_ROOM_MS,
        ...(last === undefined ? [] : [known[0]?.prev ?? '', last.id, known.length]),
      ],
    )) as string[];
    const [epoch = '', newest = '', floor = '', lost = '', mark = ''] = reply;
    const [trimmedTo = '', epochThere = '', wentBack = '', hasKnown] = reply.slice(5, FACTS);
    const ended = epochThere === '' && run !== '' && run !== shard.run ? await this.#endOf(run, shard) : '';
    const all: Stored[] = hasKnown === '1' ? known.slice() : [];
    for (let entry = FACTS; entry < reply.length; entry += 5) all.push(storedOf(tag, reply, entry));
    const messages = all.slice(0, limit);
    const more = all.length > limit;
    const position = more ? (messages.at(-1)?.id ?? newest) : newest;
    return {
      page: { messages, position, more },
      facts: { epoch, newest, floor, lost, mark, trimmedTo, epochThere, ended, wentBack },
    };
  }

  /**
   * When a run of a server ended, in ms; empty if there was no such run. While the server that knows is unavailable the
   * run counts as ended: otherwise a position that the room was given would be called unknown, and its loss be
   * forgotten.
   */
  async #endOf(run: string, asked: Shard): Promise<string> {
    const { keys, shared } = this.#options.backbone;
    try {
      const fields = [`ended:${run}`, `run:${run}`];
      const [ended, known] = await shared.command((client) => client.hmget(keys.epoch, ...fields));
      // In a Cluster the end of the run may not be recorded yet, or another master has the slot now.
      return ended ?? (known === null ? '' : String(shared.now()));
    } catch (error) {
      if (shared === asked || !(error instanceof Unavailable)) throw error;
      return String(asked.now());
    }
  }

  /** How old a message may be that a reader gets; a room that has no history any more gives none. */
  #ttlOf(room: string): number {
    const { historySize, historyTtlMs } = this.#options.limitsOf(room);
    return historySize === 0 ? 0 : historyTtlMs;
  }

  /** `ended`: when the run that made the position ended, in ms. */
  async #markLost(room: string, id: string, ended: number): Promise<void> {
    const { backbone } = this.#options;
    const ttlMs = this.#ttlOf(room);
    const { keys, log } = backbone;
    const shard = backbone.placement.shardOfRoom(room);
    // All messages of that time have expired by then.
    if (shard.now() >= ended + ttlMs) return;
    const args = [shard.epoch, shard.now(), roomTag(room), id, ttlMs + POSITION_MS];
    const marked = await shard.call(MARK_LOST, [keys.epochOf(room), keys.state(room)], args);
    if (marked === 1)
      log.warn({}, 'a failover of Redis has lost messages of a room; its members get history_lost');
  }
}

/** From five texts of a reply, which begin at index `at`. */
function storedOf(tag: string, reply: readonly string[], at: number): Stored {
  const [id = '', epoch = '', prev = ''] = [reply[at], reply[at + 1], reply[at + 2]];
  return { id: `${epoch}.${tag}.${id}`, prev, body: reply[at + 3] ?? '', provisionalId: reply[at + 4] ?? '' };
}
