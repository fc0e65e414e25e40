import type { Page, ReadFrom, Stored } from '../../../core/ports/broker.ts';
import { missingSince, type RoomFacts, runOf, resumeOutcome } from './missing.ts';
import { parsePosition, roomTag } from '../../../protocol/position.ts';
import { type Script, scriptsIn } from '../connection/script.ts';
import { Unavailable } from '../../shared/unavailable.ts';
import type { Backbone } from '../connection/backbone.ts';
import { ANSWER_MS, CLAIM_MS, POSITION_MS, SENT_SKEW_MS } from '../../shared/terms.ts';
import type { Publication } from '../../shared/publication.ts';
import type { Shard } from '../connection/shard.ts';

const script = scriptsIn('history');
const APPEND = script('append');
const READ = script('read');
const MARK_LOST = script('mark-lost');
const NEWEST = script('newest');
export const HISTORY_SCRIPTS: readonly Script[] = [APPEND, READ, MARK_LOST, NEWEST];

/**
 * How long a room is remembered in which nothing was published: as long as a position of it is promised to be known, and
 * a little for clocks. A client that comes back later to a room that was forgotten sooner would be told of a loss.
 */
const UNUSED_ROOM_MS = POSITION_MS + 60_000;
const BEGINNING = '0-0';
/** So much the reply of lua/read.lua says of the room; the messages follow. */
const FACTS = 8;
/** So many rooms are looked at after a failover, and so many at once. */
const MOST_ACKNOWLEDGED = 10_000;
const LOOKED_AT_ONCE = 100;
/** By then a publication without an answer has been given up, and may have been sent again. */
const LATE_MS = ANSWER_MS + 500;

export interface RedisHistoryOptions {
  readonly backbone: Backbone;
  /** Messages kept per room. */
  readonly size: number;
  readonly ttlMs: number;
}

interface Where {
  readonly mode: 'after' | 'newest';
  /** A stream id, or how many. */
  readonly at: string;
  /** Of the server on which the position was made; empty where there is none. */
  readonly run: string;
}

interface Read {
  readonly page: Page;
  readonly facts: RoomFacts;
}

/**
 * The history of rooms in Redis: a stream for each, whose entries name the one before them, and a hash with what
 * outlives them (docs/adr/0006-history-in-redis.md). Everything here raises Unavailable.
 */
export class RedisHistory {
  readonly #options: RedisHistoryOptions;
  /** The last position that each room was given for this pod, which also tells the run of the server; the latest last. */
  readonly #acknowledged = new Map<string, string>();

  constructor(options: RedisHistoryOptions) {
    this.#options = options;
  }

  /** Appends and publishes in one step; `prev` is absent where that had been done before. */
  async append(publication: Publication): Promise<{ id: string; prev?: string | undefined; body: string }> {
    const { room, body, key, trace = '', provisionalId, sentAt } = publication;
    const { size, ttlMs, backbone } = this.#options;
    const { keys, pod } = backbone;
    const shard = backbone.placement.shardOfRoom(room);
    const names = [keys.epochOf(room), keys.history(room), keys.state(room)];
    if (key !== undefined) names.push(keys.claim(room, provisionalId));
    const mayBeThereSince = sentAt === undefined ? '' : sentAt - SENT_SKEW_MS;
    const args = [shard.epoch, shard.now(), roomTag(room), size, ttlMs, ttlMs + POSITION_MS];
    args.push(keys.roomChannel(room));
    args.push(provisionalId, body, trace, mayBeThereSince, CLAIM_MS);
    args.push(shard.now() + LATE_MS, pod, shard.connection);
    const [id, prev] = (await shard.call(APPEND, names, args)) as [string?, string?];
    if (id === undefined) throw shard.late();
    return { id, prev, body };
  }

  /** Its publisher is about to hear that the room was given this position; see `verify`. */
  acknowledged(room: string, id: string): void {
    this.#acknowledged.delete(room);
    this.#acknowledged.set(room, id);
    if (this.#acknowledged.size > MOST_ACKNOWLEDGED) this.#forgetOldest();
  }

  /** `remember`: the room is in use here, and its position good for what is published from now on. */
  async read(room: string, from: ReadFrom, limit: number, remember: boolean): Promise<Page> {
    const read = (mode: 'after' | 'newest', at: string, run = ''): Promise<Read> =>
      this.#read(room, { mode, at, run }, limit, remember);
    if ('newest' in from) return (await read('newest', String(from.newest))).page;
    if ('since' in from) {
      const { page, facts } = await read('after', `${from.since}-0`);
      return { ...page, missing: missingSince(from.since, facts) };
    }
    const position = parsePosition(from.after);
    const id = position === undefined ? BEGINNING : `${position.ms}-${position.seq}`;
    const { page, facts } = await read('after', id, runOf(position?.epoch ?? ''));
    const { missing, goesOn, isNewLoss } = resumeOutcome(from, roomTag(room), facts);
    // What a client says that it has must not change what others are told.
    if (isNewLoss && from.isOurs === true) await this.#markLost(room, id, Number(facts.ended));
    return { ...(goesOn ? page : (await read('after', BEGINNING)).page), missing };
  }

  /**
   * After another server has taken over: finds out whether it lacks what the last one acknowledged. Reading from there
   * is enough, whoever is concerned is told.
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
      // Once its server is there it will be.
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
   * The newest position of each room that can be reached, which is remembered on; undefined where Redis knows nothing
   * of it. What cannot be reached is asked for again when it can.
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

  async #read(room: string, { mode, at, run }: Where, limit: number, remember: boolean): Promise<Read> {
    const { ttlMs, backbone } = this.#options;
    const { keys } = backbone;
    const shard = backbone.placement.shardOfRoom(room);
    const tag = roomTag(room);
    const reply = (await shard.call(
      READ,
      [keys.epochOf(room), keys.history(room), keys.state(room)],
      [shard.epoch, shard.now(), tag, ttlMs, mode, at, limit + 1, remember ? '1' : '', UNUSED_ROOM_MS],
    )) as string[];
    const [epoch = '', newest = '', floor = '', lost = '', mark = ''] = reply;
    const [trimmedTo = '', epochThere = '', wentBack = ''] = reply.slice(5);
    const ended = epochThere === '' && run !== '' && run !== shard.run ? await this.#endOf(run, shard) : '';
    const all: Stored[] = [];
    for (let entry = FACTS; entry < reply.length; entry += 5)
      all.push(storedOf(tag, reply.slice(entry, entry + 5)));
    const messages = all.slice(0, limit);
    const more = all.length > limit;
    const position = more ? (messages.at(-1)?.id ?? newest) : newest;
    return {
      page: { messages, position, more },
      facts: { epoch, newest, floor, lost, mark, trimmedTo, epochThere, ended, wentBack },
    };
  }

  /**
   * When a run of a server ended, in ms; empty: there was no such run. Where another server knows and is away it counts
   * as ended: a position that the room was given must not be called unknown, nor its loss be forgotten, for that.
   */
  async #endOf(run: string, asked: Shard): Promise<string> {
    const { keys, shared } = this.#options.backbone;
    try {
      const fields = [`ended:${run}`, `run:${run}`];
      const [ended, known] = await shared.command((client) => client.hmget(keys.epoch, ...fields));
      // Of a Cluster, where it is not noted yet that the run has ended, or another master has the slot now.
      return ended ?? (known === null ? '' : String(shared.now()));
    } catch (error) {
      if (shared === asked || !(error instanceof Unavailable)) throw error;
      return String(asked.now());
    }
  }

  /** `ended`: when the server ended that gave the position, in ms. */
  async #markLost(room: string, id: string, ended: number): Promise<void> {
    const { ttlMs, backbone } = this.#options;
    const { keys, log } = backbone;
    const shard = backbone.placement.shardOfRoom(room);
    // Later than that nothing of that time is kept anyway.
    if (shard.now() >= ended + ttlMs) return;
    const args = [shard.epoch, shard.now(), roomTag(room), id, ttlMs + POSITION_MS];
    const marked = await shard.call(MARK_LOST, [keys.epochOf(room), keys.state(room)], args);
    if (marked === 1) log.warn({}, 'a failover of Redis has lost messages of a room; its members are told');
  }
}

function storedOf(
  tag: string,
  [id = '', epoch = '', prev = '', body = '', provisionalId = '']: string[],
): Stored {
  return { id: `${epoch}.${tag}.${id}`, prev, body, provisionalId };
}
