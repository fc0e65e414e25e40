import type { Fleeting, Note, Published, PublishOptions, Receiver, Stored } from '../../core/ports/broker.ts';
import { Claims, isKeyed, nameOf } from './claims.ts';
import type { Appended, Appender } from './appender.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { Echoes } from './echoes.ts';
import { MemoryBudget } from './memory-budget.ts';
import type { Log } from '../../core/ports/log.ts';
import { Publication } from './publication.ts';
import { PublishQueues } from './publish-queues.ts';
import { Resumption } from './resumption.ts';
import { Unavailable } from './unavailable.ts';
import { withProvisional } from '../../protocol/message.ts';

export interface DispatchOptions {
  readonly appender: Appender;
  readonly clock: Clock;
  readonly log: Log;
  /** So many publications may wait while the history is unavailable. */
  readonly bufferMessages: number;
  /** For the publications that wait and the known idempotency keys together. */
  readonly memoryBytes: number;
  /** Makes a unique name for a publication that has no idempotency key. */
  readonly newName: () => string;
  /** The first id that any pod claimed under the name: `id`, if there was none. Raises Unavailable. */
  readonly claim: (room: string, name: string, id: string) => Promise<string>;
  /** The first id that any pod claimed under the name, if any. Raises Unavailable. */
  readonly claimed: (room: string, name: string) => Promise<string | undefined>;
  /** The publisher is about to receive this position. */
  readonly acknowledged?: (room: string, id: string) => void;
}

const NOT_DELIVERED = 'the message is stored, but an earlier one is missing and cannot be read';

/** Takes publications from this pod's clients to histories that pods share. What cannot be sent waits. */
export class Dispatch {
  readonly #options: DispatchOptions;
  readonly #queues: PublishQueues;
  readonly #resumption: Resumption;
  /** The keys that this pod knows from its rooms and its own claims, also while the history is unavailable. */
  readonly #claims: Claims;
  /** Claims that are not answered yet, by name. */
  readonly #claiming = new Map<string, Promise<string>>();
  /** The ids under which this pod's publications came back to it, by provisional id. */
  readonly #echoes: Echoes<string>;
  #receiver: Receiver | undefined;

  constructor(options: DispatchOptions) {
    this.#options = options;
    const { appender, clock, log, bufferMessages, memoryBytes } = options;
    const budget = new MemoryBudget(memoryBytes);
    this.#claims = new Claims(budget);
    this.#echoes = new Echoes(clock);
    this.#queues = new PublishQueues({
      appender: {
        ...appender,
        reaches: (room) => appender.reaches(room) && this.#resumption.isOver(room),
        append: (publication, settle) => this.#append(publication, settle),
      },
      clock,
      deliver: ({ room, provisionalId: id, body, trace }) =>
        this.#receiver?.provisional(room, { id, body: withProvisional(body), trace }),
      forget: ({ room, provisionalId }, id) => this.#receiver?.forgotten(room, provisionalId, id),
      mostMessages: bufferMessages,
      budget,
    });
    this.#resumption = new Resumption(this.#queues, clock, log);
  }

  /** Publications that wait for the history. */
  get waiting(): number {
    return this.#queues.waiting;
  }

  /** Attempts to publish that the history did not take. */
  get failures(): number {
    return this.#queues.failures;
  }

  /** To be called first. `receiver` gets what this pod's members receive before the history stores it. */
  start(receiver: Receiver): void {
    this.#receiver = receiver;
  }

  /** What waits is still sent, if the history comes back within five seconds. */
  async stop(): Promise<void> {
    await this.#resumption.finish();
    this.#receiver = undefined;
  }

  /** The histories of these rooms can be reached (again). */
  resume(concerns: (room: string) => boolean): void {
    this.#resumption.begin(concerns);
  }

  /** As `Broker.publish`. */
  publish(room: string, body: string, { key, trace, lastValue }: PublishOptions = {}): Promise<Published> {
    const { clock, newName } = this.#options;
    const provisionalId = key === undefined ? newName() : nameOf(room, key);
    const first = key === undefined ? undefined : this.#claims.get(provisionalId, clock.elapsed());
    if (first !== undefined) return Promise.resolve({ id: first, duplicate: true });
    return this.#queues.publish(new Publication({ room, body, key, trace, lastValue, provisionalId }));
  }

  /** As `Broker.claimed`. */
  async claimed(room: string, key: string): Promise<string | undefined> {
    const { claimed, clock } = this.#options;
    const name = nameOf(room, key);
    try {
      return this.#claims.get(name, clock.elapsed()) ?? (await claimed(room, name));
    } catch (error) {
      if (error instanceof Unavailable) return undefined;
      throw error;
    }
  }

  /** As `Broker.claim`. */
  claim(room: string, key: string, id: string): Promise<string> {
    const name = nameOf(room, key);
    const known = this.#claiming.get(name) ?? this.#claim(room, name, id);
    this.#claiming.set(name, known);
    return known.finally(() => this.#claiming.delete(name));
  }

  /**
   * Nothing is noted here before the answer: another pod may be first, and its message must still be delivered then.
   */
  async #claim(room: string, name: string, id: string): Promise<string> {
    const { claim, clock } = this.#options;
    try {
      const first = await claim(room, name, this.#claims.get(name, clock.elapsed()) ?? id);
      if (this.#claims.claim(name, first, clock.elapsed()) !== first)
        this.#claims.set(name, first, clock.elapsed());
      return first;
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      return this.#claims.claim(name, id, clock.elapsed());
    }
  }

  /** False if what another pod sent under this name (undefined: it has no key) repeats what this pod knows. */
  isNew(name: string | undefined, what: Fleeting | Note): boolean {
    if (name === undefined || !('id' in what)) return true;
    return this.#claims.claim(name, what.id, this.#options.clock.elapsed()) === what.id;
  }

  /** This message, of this pod or another, came by this pod's subscription. */
  heard(stored: Stored): void {
    const { id, provisionalId } = stored;
    if (provisionalId === undefined) return;
    this.#echoes.heard(provisionalId, id);
    this.learned(stored);
  }

  /**
   * The history has stored this message: a repetition of its key is answered, also while the history is unavailable.
   */
  learned({ id, provisionalId }: Stored): void {
    if (provisionalId === undefined || !isKeyed(provisionalId)) return;
    this.#claims.claim(provisionalId, id, this.#options.clock.elapsed());
  }

  /**
   * Calls `tell` once: with the id once this pod's own publication has come back to it, or with undefined: it will not.
   */
  whenHeard(provisionalId: string, tell: (id: string | undefined) => void): void {
    this.#echoes.whenHeard(provisionalId, tell);
  }

  #append(publication: Publication, settle: (appended: Appended) => void): void {
    this.#echoes.expect(publication.provisionalId);
    this.#options.appender.append(publication, (appended) => this.#appended(publication, appended, settle));
  }

  /** Calls `settle` once this pod's room has the message too, if the room is in use here. */
  #appended(publication: Publication, appended: Appended, settle: (appended: Appended) => void): void {
    const { room, provisional, provisionalId } = publication;
    const published = appended instanceof Error ? this.#despite(appended, provisionalId) : appended;
    const end = (isDelivered: boolean): void => {
      this.#echoes.forget(provisionalId);
      if (published instanceof Error) settle(published);
      else if (!isDelivered) settle(new Unavailable(NOT_DELIVERED));
      else {
        this.#options.acknowledged?.(room, published.id);
        settle(published);
      }
    };
    // The next publication may have to be provisional, and must not reach the members before this one.
    const isDelivered =
      published instanceof Error || provisional || (this.#receiver?.delivered(room, published.id) ?? true);
    // Nearly always it is known at once. Awaiting it then would cost every publication a turn.
    if (typeof isDelivered === 'boolean') end(isDelivered);
    else
      isDelivered.then(end, (error: Error) => {
        this.#echoes.forget(provisionalId);
        settle(error);
      });
  }

  /** The connection may have been lost after the history told the pods, and before it answered. */
  #despite(error: Error, provisionalId: string): Appended {
    const id = this.#echoes.soFar(provisionalId);
    return id === undefined ? error : { id, duplicate: false };
  }
}
