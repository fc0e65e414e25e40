import type {
  Broker,
  Fleeting,
  Note,
  Page,
  Published,
  PublishOptions,
  ReadFrom,
  Receiver,
  Stored,
} from '../core/ports/broker.ts';
import { Claims, CLAIM_MS } from './claims.ts';
import { type Envelope, writeFleeting, writeNote } from '../redis/envelope.ts';
import { missingAfter, missingSince, type RoomFacts } from './missing.ts';
import { Outgoing, type Publication } from './outgoing.ts';
import { parsePosition, roomTag } from '../protocol/position.ts';
import { readScript, type Script } from '../redis/script.ts';
import { withProvisional, withProvisionalId } from '../protocol/message.ts';
import { Away } from '../redis/away.ts';
import type { Backbone } from '../redis/backbone.ts';
import { createHash } from 'node:crypto';
import { MOST_CHARS } from './memory.ts';
import { OwnEchoes } from './own-echoes.ts';
import { POSITION_MS } from './room-log.ts';

const script = (name: string): Script => readScript(new URL(`lua/${name}.lua`, import.meta.url));
const APPEND = script('append');
const READ = script('read');
const MARK_LOST = script('mark-lost');
const CLAIM = script('claim');
const NEWEST = script('newest');
export const BROKER_SCRIPTS: readonly Script[] = [APPEND, READ, MARK_LOST, CLAIM, NEWEST];

/** How long a room is remembered in which nothing was published, and how often the rooms in use are renewed. */
const UNUSED_ROOM_MS = 7_200_000;
const RENEW_MS = 1_800_000;
/** Rooms looked at in one step after an absence. */
const ROOMS = 200;
const BEGINNING = '0-0';

export interface RedisBrokerOptions {
  readonly backbone: Backbone;
  /** Messages kept per room. */
  readonly historySize: number;
  readonly historyTtlMs: number;
  /** Publications that may wait while Redis is away. */
  readonly bufferMessages: number;
  /** A name that no other message has, for one that has no position. */
  readonly newName: () => string;
}

/**
 * The broker of many pods. A room's history is a stream, whose entries name the one before them; a script appends and
 * publishes in one step (docs/adr/0006-history-in-redis.md). What cannot be sent waits (outgoing.ts).
 */
export class RedisBroker implements Broker {
  readonly #options: RedisBrokerOptions;
  readonly #outgoing: Outgoing;
  /** Where idempotency is kept while Redis is away. */
  readonly #claims = new Claims();
  readonly #rooms = new Set<string>();
  readonly #echoes = new OwnEchoes();
  #receiver: Receiver | undefined;
  #comparing: Promise<void> | undefined;
  #compareAgain = false;

  constructor(options: RedisBrokerOptions) {
    this.#options = options;
    const { backbone, bufferMessages, newName } = options;
    const { clock, link, subscriptions } = backbone;
    this.#outgoing = new Outgoing({
      send: (publication) => this.#append(publication),
      isUp: () => link.up,
      now: () => link.now(),
      deliver: ({ room, provisionalId: id, body, trace }) =>
        this.#receiver?.provisional(room, { id, body: withProvisional(body), trace }),
      nameOf: (room, key) => (key === undefined ? newName() : `~${digest(`${room}\n${key}`)}`),
      pause: (attempt) =>
        new Promise((resolve) => void clock.after(Math.min(100 * 2 ** attempt, 2_000), resolve)),
      mostMessages: bufferMessages,
      mostChars: MOST_CHARS,
    });
    backbone.listen((room, envelope) => this.#take(room, envelope));
    // The later of the two tells the rooms.
    link.whenUp(() => void (subscriptions.up && this.#compare()));
    subscriptions.whenUp(() => void this.#compare());
    link.whenUp(() => void this.#outgoing.pump());
  }

  get available(): boolean {
    return this.#options.backbone.link.up;
  }

  /** Publications that wait for Redis. */
  get waiting(): number {
    return this.#outgoing.waiting;
  }

  /** Attempts to publish that Redis did not take. */
  get failures(): number {
    return this.#outgoing.failures;
  }

  async start(receiver: Receiver): Promise<void> {
    this.#receiver = receiver;
    this.#renewLater();
    await this.#options.backbone.start();
  }

  /** What is on its way still arrives, if Redis answers. */
  async stop(): Promise<void> {
    await this.#outgoing.pump();
    this.#receiver = undefined;
    this.#options.backbone.stop();
  }

  publish(room: string, body: string, options: PublishOptions = {}): Promise<Published> {
    return this.#outgoing.publish(room, body, options);
  }

  async tell(room: string, message: Fleeting): Promise<void> {
    const { keys, pod } = this.#options.backbone;
    await this.#broadcast(keys.roomChannel(room), writeFleeting(pod, message));
  }

  async tellAll(note: Note): Promise<void> {
    const { keys, pod } = this.#options.backbone;
    await this.#broadcast(keys.globalChannel, writeNote(pod, note));
  }

  async claim(room: string, key: string, id: string): Promise<string> {
    const { keys, link } = this.#options.backbone;
    const name = digest(`${room}\n${key}`);
    try {
      return String(await link.call(CLAIM, [keys.claim(`~${name}`)], [id, CLAIM_MS]));
    } catch (error) {
      if (!(error instanceof Away)) throw error;
      return this.#claims.claim(name, id, link.now());
    }
  }

  async subscribe(room: string): Promise<void> {
    const { keys, subscriptions } = this.#options.backbone;
    this.#rooms.add(room);
    await subscriptions.subscribe(keys.roomChannel(room));
  }

  unsubscribe(room: string): void {
    const { keys, subscriptions } = this.#options.backbone;
    this.#rooms.delete(room);
    subscriptions.unsubscribe(keys.roomChannel(room));
  }

  async read(room: string, from: ReadFrom, limit: number): Promise<Page> {
    const tag = roomTag(room);
    if ('newest' in from) return (await this.#read(room, 'newest', String(from.newest), limit)).page;
    if ('since' in from) {
      const { page, facts } = await this.#read(room, 'after', `${from.since}-0`, limit);
      return { ...page, missing: missingSince(from.since, facts) };
    }
    const position = parsePosition(from.after);
    const id = position === undefined ? BEGINNING : `${position.ms}-${position.seq}`;
    const { page, facts } = await this.#read(room, 'after', id, limit);
    const missing = missingAfter(from.after, tag, facts);
    if (missing === undefined) return page;
    if (missing === 'dropped') await this.#markLost(room, id);
    const whole = await this.#read(room, 'after', BEGINNING, limit);
    return { ...whole.page, missing: missing === 'dropped' ? 'history_lost' : missing };
  }

  async #append(publication: Publication): Promise<Published> {
    const { room, key, trace = '', provisionalId, provisional, sentAt } = publication;
    const { historySize, historyTtlMs, backbone } = this.#options;
    const { keys, link, subscriptions } = backbone;
    const body = provisional ? withProvisionalId(publication.body, provisionalId) : publication.body;
    const names = [keys.epoch, keys.history(room), keys.state(room), keys.provisional(room)];
    // Clocks of two servers may differ by a little.
    const retriedSince = sentAt === undefined ? '' : sentAt - 1_000;
    const args = [link.run, link.now(), roomTag(room), historySize, historyTtlMs, historyTtlMs + POSITION_MS];
    if (subscriptions.has(keys.roomChannel(room))) this.#echoes.sent(provisionalId);
    const [id, prev] = (await link.call(
      APPEND,
      key === undefined ? names : [...names, keys.claim(provisionalId)],
      [
        ...args,
        ...[
          keys.roomChannel(room),
          provisionalId,
          body,
          trace,
          provisional ? '1' : '',
          retriedSince,
          CLAIM_MS,
        ],
      ],
    )) as [string, string?];
    if (prev === undefined) {
      this.#echoes.forget(provisionalId);
      return { id, duplicate: true };
    }
    if (this.#echoes.answered(provisionalId) && this.#rooms.has(room)) {
      this.#receiver?.message(room, { id, prev, body, provisionalId, trace: publication.trace });
    }
    return { id, duplicate: false };
  }

  async #read(
    room: string,
    mode: 'after' | 'newest',
    at: string,
    limit: number,
  ): Promise<{ page: Page; facts: RoomFacts }> {
    const { historyTtlMs, backbone } = this.#options;
    const { keys, link } = backbone;
    const tag = roomTag(room);
    const remember = this.#rooms.has(room) ? '1' : '';
    const reply = (await link.call(
      READ,
      [keys.epoch, keys.history(room), keys.state(room), keys.provisional(room)],
      [link.run, link.now(), tag, historyTtlMs, mode, at, limit + 1, remember, UNUSED_ROOM_MS],
    )) as string[];
    const [epoch = '', newest = '', floor = '', lost = '', mark = '', trimmedTo = '', epochThere = ''] =
      reply;
    const all: Stored[] = [];
    for (let entry = 7; entry < reply.length; entry += 5)
      all.push(storedOf(tag, reply.slice(entry, entry + 5)));
    const messages = all.slice(0, limit);
    const more = all.length > limit;
    const position = more ? (messages.at(-1)?.id ?? newest) : newest;
    return {
      page: { messages, position, more },
      facts: { epoch, newest, floor, lost, mark, trimmedTo, epochThere },
    };
  }

  async #markLost(room: string, id: string): Promise<void> {
    const { keys, link, log } = this.#options.backbone;
    const ttl = this.#options.historyTtlMs + POSITION_MS;
    const marked = await link.call(
      MARK_LOST,
      [keys.epoch, keys.state(room)],
      [link.run, link.now(), roomTag(room), id, ttl],
    );
    if (marked === 1) log.warn({}, 'a failover of Redis has lost messages of a room; its members are told');
  }

  async #broadcast(channel: string, text: string): Promise<void> {
    await this.#options.backbone.link.command((client) => client.publish(channel, text));
  }

  #take(room: string | undefined, envelope: Envelope): void {
    if (envelope.kind === 'message' && room !== undefined) this.#takeMessage(room, envelope.stored);
    else if (envelope.kind === 'fleeting' && room !== undefined && !this.#isOwn(envelope.origin)) {
      this.#receiver?.fleeting(room, envelope.message);
    } else if (envelope.kind === 'note' && !this.#isOwn(envelope.origin)) this.#receiver?.note(envelope.note);
  }

  #takeMessage(room: string, stored: Stored): void {
    const { provisionalId } = stored;
    if (provisionalId === undefined || this.#echoes.heard(provisionalId))
      this.#receiver?.message(room, stored);
  }

  #isOwn(origin: string): boolean {
    return origin === this.#options.backbone.pod;
  }

  /** Tells the rooms what their newest positions are, since they may have missed something. */
  async #compare(): Promise<void> {
    this.#compareAgain = true;
    this.#comparing ??= this.#compareAll().finally(() => (this.#comparing = undefined));
    await this.#comparing;
  }

  async #compareAll(): Promise<void> {
    const { keys, link, log } = this.#options.backbone;
    while (this.#compareAgain && link.up) {
      this.#compareAgain = false;
      const rooms = [...this.#rooms];
      try {
        for (let at = 0; at < rooms.length; at += ROOMS) {
          const part = rooms.slice(at, at + ROOMS);
          const states = part.map((room) => keys.state(room));
          const newest = (await link.call(NEWEST, states, [UNUSED_ROOM_MS])) as string[];
          for (const [index, room] of part.entries()) {
            if (this.#rooms.has(room)) this.#receiver?.newest(room, newest[index] || undefined);
          }
        }
      } catch (error) {
        if (!(error instanceof Away))
          log.error({ err: error }, 'rooms could not be compared with their history');
      }
    }
  }

  #renewLater(): void {
    this.#options.backbone.clock.after(RENEW_MS, () => {
      if (this.#receiver === undefined) return;
      void this.#compare();
      this.#renewLater();
    });
  }
}

function storedOf(tag: string, [id = '', epoch = '', prev = '', body = '', name = '']: string[]): Stored {
  const owed = name.endsWith('!');
  const provisionalId = owed ? name.slice(0, -1) : name;
  const told = owed ? withProvisionalId(body, provisionalId) : body;
  return { id: `${epoch}.${tag}.${id}`, prev, body: told, provisionalId };
}

/** 128 bits of a hash: a name that two pods give alike. */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}
