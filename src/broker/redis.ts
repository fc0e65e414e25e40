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
import { Outgoing, type Publication } from './outgoing.ts';
import { type Script, scriptsBeside } from '../redis/script.ts';
import { HISTORY_SCRIPTS, RedisHistory } from './redis-history.ts';
import { withProvisional } from '../protocol/message.ts';
import { Away } from '../redis/away.ts';
import type { Backbone } from '../redis/backbone.ts';
import { createHash } from 'node:crypto';
import { pause } from '../core/pause.ts';
import { MOST_CHARS } from './memory.ts';
import { Comparison } from './comparison.ts';
import { Echoes } from '../redis/echoes.ts';

const CLAIM = scriptsBeside(import.meta.url)('claim');
export const BROKER_SCRIPTS: readonly Script[] = [CLAIM, ...HISTORY_SCRIPTS];

/** After the return of Redis every pod has found it again by then (redis/options.ts). */
const RESUME_MS = 1_000;
/** How long a stop waits for Redis, and how often it looks. */
const STOP_MS = 5_000;
const STOP_STEP_MS = 200;

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

/** The broker of many pods: history in Redis, messages by publication. What cannot be sent waits (outgoing.ts). */
export class RedisBroker implements Broker {
  readonly #options: RedisBrokerOptions;
  readonly #history: RedisHistory;
  readonly #outgoing: Outgoing;
  readonly #comparison: Comparison;
  /** What this pod knows of keys by itself: from its rooms, and from its own claims, also while Redis is away. */
  readonly #claims = new Claims();
  readonly #rooms = new Set<string>();
  /** Of publications, with the ids they were given. */
  readonly #echoes: Echoes<string>;
  #receiver: Receiver | undefined;
  /** How often Redis has come (back), and for which of these times publications are sent. */
  #returns = 0;
  #resumed = 0;

  constructor(options: RedisBrokerOptions) {
    this.#options = options;
    const { backbone, bufferMessages, historySize, historyTtlMs } = options;
    this.#echoes = new Echoes(backbone.clock);
    this.#history = new RedisHistory({ backbone, size: historySize, ttlMs: historyTtlMs });
    const { link } = backbone;
    this.#outgoing = new Outgoing({
      send: (publication) => this.#send(publication),
      isUp: () => link.up && this.#resumed === this.#returns,
      now: () => link.now(),
      deliver: ({ room, provisionalId: id, body, trace }) =>
        this.#receiver?.provisional(room, { id, body: withProvisional(body), trace }),
      forget: ({ room, provisionalId }, id) => this.#receiver?.forgotten(room, provisionalId, id),
      pause: (attempt) => pause(backbone.clock, Math.min(100 * 2 ** attempt, 2_000)),
      mostMessages: bufferMessages,
      mostChars: MOST_CHARS,
    });
    backbone.listen((room, envelope) => this.#take(room, envelope));
    this.#comparison = new Comparison({
      backbone,
      history: this.#history,
      rooms: this.#rooms,
      newest: (room, position) => this.#receiver?.newest(room, position),
    });
    link.whenUp(() => this.#resumeSoon());
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
    this.#comparison.start();
    await this.#options.backbone.start();
  }

  /** What waits still goes out, if Redis comes back within five seconds. */
  async stop(): Promise<void> {
    for (let waited = 0; ; waited += STOP_STEP_MS) {
      this.#resumed = this.#returns;
      await this.#outgoing.pump();
      if (this.waiting === 0 || waited >= STOP_MS) break;
      await pause(this.#options.backbone.clock, STOP_STEP_MS);
    }
    const lost = this.waiting;
    if (lost > 0)
      this.#options.backbone.log.error({ lost }, 'Redis did not come back: publications are lost');
    this.#receiver = undefined;
    this.#options.backbone.stop();
  }

  publish(room: string, body: string, { key, trace }: PublishOptions = {}): Promise<Published> {
    const { backbone, newName } = this.#options;
    const provisionalId = key === undefined ? newName() : nameOf(room, key);
    const first = key === undefined ? undefined : this.#claims.get(provisionalId, backbone.clock.now());
    if (first !== undefined) return Promise.resolve({ id: first, duplicate: true });
    return this.#outgoing.publish({ room, body, key, trace, provisionalId });
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
    const { clock, keys, link } = this.#options.backbone;
    const name = nameOf(room, key);
    const local = this.#claims.claim(name, id, clock.now());
    try {
      const first = String(await link.call(CLAIM, [keys.claim(name)], [local, CLAIM_MS]));
      if (first !== local) this.#claims.set(name, first, clock.now());
      return first;
    } catch (error) {
      if (!(error instanceof Away)) throw error;
      return local;
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

  read(room: string, from: ReadFrom, limit: number): Promise<Page> {
    return this.#history.read(room, from, limit, this.#rooms.has(room));
  }

  /**
   * What waited goes out when the other pods have had time to come back too: they hear it then, also where it is more
   * than history keeps.
   */
  #resumeSoon(): void {
    const resumed = (this.#returns += 1);
    const resume = (): void => {
      if (resumed !== this.#returns) return;
      this.#resumed = resumed;
      void this.#outgoing.pump();
    };
    if (this.#outgoing.waiting === 0) resume();
    else this.#options.backbone.clock.after(RESUME_MS, resume);
  }

  /** Resolves once this pod's room has it too, if it is in use here. */
  async #send(publication: Publication): Promise<Published> {
    const { room, provisional, provisionalId } = publication;
    this.#echoes.expect(provisionalId);
    try {
      const published = await this.#appendOrHear(publication);
      // What is published next may have to be provisional, and must not come to the members before this one.
      const delivered = provisional || (this.#receiver?.delivered(room, published.id) ?? true);
      // Nearly always it is known at once, and then nobody waits for another turn.
      if (delivered !== true && !(await delivered))
        throw new Away('it is taken, and what came before it cannot be read');
      this.#history.acknowledged(room, published.id);
      return published;
    } finally {
      this.#echoes.forget(provisionalId);
    }
  }

  async #appendOrHear(publication: Publication): Promise<Published> {
    try {
      return await this.#append(publication);
    } catch (error) {
      // Redis went away before it answered, and after it had published.
      const id = this.#echoes.soFar(publication.provisionalId);
      if (id === undefined) throw error;
      return { id, duplicate: false };
    }
  }

  async #append(publication: Publication): Promise<Published> {
    const { room, provisionalId, trace } = publication;
    const { keys, subscriptions } = this.#options.backbone;
    const { id, prev, body } = await this.#history.append(publication);
    if (prev === undefined) return { id, duplicate: true };
    const isListening = subscriptions.has(keys.roomChannel(room));
    if (!isListening || (await this.#echoes.wait(provisionalId)) === undefined) {
      if (this.#rooms.has(room)) this.#receiver?.message(room, { id, prev, body, provisionalId, trace });
    }
    return { id, duplicate: false };
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
    this.#receiver?.message(room, stored);
    const { id, provisionalId } = stored;
    if (provisionalId === undefined) return;
    this.#echoes.heard(provisionalId, id);
    if (isKeyed(provisionalId)) this.#claims.claim(provisionalId, id, this.#options.backbone.clock.now());
  }

  #isOwn(origin: string): boolean {
    return origin === this.#options.backbone.pod;
  }
}

const KEYED = '~';

/** The name of a publication with a key, 128 bits of a hash: one that two pods give alike. */
function nameOf(room: string, key: string): string {
  return KEYED + createHash('sha256').update(`${room}\n${key}`).digest('base64url').slice(0, 22);
}

function isKeyed(name: string): boolean {
  return name.startsWith(KEYED);
}
