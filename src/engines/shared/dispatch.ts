import type { Fleeting, Note, Published, PublishOptions, Receiver, Stored } from '../../core/ports/broker.ts';
import { Claims, isKeyed, nameOf } from './claims.ts';
import { Outgoing, type OutgoingOptions } from './outgoing.ts';
import { Unavailable } from './unavailable.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { Echoes } from './echoes.ts';
import type { Log } from '../../core/ports/log.ts';
import { Held } from './held.ts';
import { pause } from '../../core/base/pause.ts';
import type { Publication } from './lane.ts';
import { Resumption } from './resumption.ts';
import { withProvisional } from '../../protocol/message.ts';

export interface DispatchOptions extends Pick<OutgoingOptions, 'laneOf' | 'atOnce' | 'now' | 'whither'> {
  readonly clock: Clock;
  readonly log: Log;
  /** Publications that may wait while the history is away. */
  readonly bufferMessages: number;
  /** What these may take, and what is known of keys. */
  readonly memoryBytes: number;
  /** A name that no other message has, for one that has no position. */
  readonly newName: () => string;
  /** Whether the room's history is there. */
  readonly reaches: (room: string) => boolean;
  /**
   * Gives a publication its place in the history. Resolves once this pod's room has it, unless another publication
   * before it is missing still. Raises Unavailable.
   */
  readonly append: (publication: Publication) => Promise<Published>;
  /** The first id that any pod claimed under the name; this one, if there is none yet. Raises Unavailable. */
  readonly claim: (room: string, name: string, id: string) => Promise<string>;
  /** Its publisher is about to hear that the room was given this position. */
  readonly acknowledged?: (room: string, id: string) => void;
}

/** The way of publications from this pod's clients into histories that pods share. What cannot be sent waits. */
export class Dispatch {
  readonly #options: DispatchOptions;
  readonly #outgoing: Outgoing;
  readonly #resumption: Resumption;
  /** What this pod knows of keys by itself: from its rooms, and from its own claims, also while the history is away. */
  readonly #claims: Claims;
  /** Claims that are not answered yet, by name. */
  readonly #claiming = new Map<string, Promise<string>>();
  /** Of publications, with the ids they were given. */
  readonly #echoes: Echoes<string>;
  #receiver: Receiver | undefined;

  constructor(options: DispatchOptions) {
    this.#options = options;
    const { clock, log, reaches, bufferMessages, memoryBytes } = options;
    const held = new Held(memoryBytes);
    this.#claims = new Claims(held);
    this.#echoes = new Echoes(clock);
    this.#outgoing = new Outgoing({
      ...options,
      send: (publication) => this.#send(publication),
      isUp: (room) => reaches(room) && this.#resumption.isOver(room),
      deliver: ({ room, provisionalId: id, body, trace }) =>
        this.#receiver?.provisional(room, { id, body: withProvisional(body), trace }),
      forget: ({ room, provisionalId }, id) => this.#receiver?.forgotten(room, provisionalId, id),
      pause: (attempt) => pause(clock, Math.min(100 * 2 ** attempt, 2_000)),
      mostMessages: bufferMessages,
      held,
    });
    this.#resumption = new Resumption(this.#outgoing, clock, log);
  }

  /** Publications that wait for the history. */
  get waiting(): number {
    return this.#outgoing.waiting;
  }

  /** Attempts to publish that the history did not take. */
  get failures(): number {
    return this.#outgoing.failures;
  }

  /** Before anything else; the receiver is told of what this pod's members get before the history has it. */
  start(receiver: Receiver): void {
    this.#receiver = receiver;
  }

  /** What waits still goes out, if the history comes back within five seconds. */
  async stop(): Promise<void> {
    await this.#resumption.finish();
    this.#receiver = undefined;
  }

  /** The histories of these rooms are there (again). */
  resume(concerns: (room: string) => boolean): void {
    this.#resumption.begin(concerns);
  }

  /** As `Broker.publish`. */
  publish(room: string, body: string, { key, trace }: PublishOptions = {}): Promise<Published> {
    const { clock, newName } = this.#options;
    const provisionalId = key === undefined ? newName() : nameOf(room, key);
    const first = key === undefined ? undefined : this.#claims.get(provisionalId, clock.elapsed());
    if (first !== undefined) return Promise.resolve({ id: first, duplicate: true });
    return this.#outgoing.publish({ room, body, key, trace, provisionalId });
  }

  /** As `Broker.claim`. */
  claim(room: string, key: string, id: string): Promise<string> {
    const name = nameOf(room, key);
    const known = this.#claiming.get(name) ?? this.#claim(room, name, id);
    this.#claiming.set(name, known);
    return known.finally(() => this.#claiming.delete(name));
  }

  /** Nothing is known here until it is answered: another pod may be first, and its message must be brought then. */
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

  /** Another pod told this, of that name if it has a key: whether it is no repetition of what is known here. */
  isNew(name: string | undefined, what: Fleeting | Note): boolean {
    if (name === undefined || !('id' in what)) return true;
    return this.#claims.claim(name, what.id, this.#options.clock.elapsed()) === what.id;
  }

  /** The pods were told of this message: it was this pod's, or another's. */
  heard(stored: Stored): void {
    const { id, provisionalId } = stored;
    if (provisionalId === undefined) return;
    this.#echoes.heard(provisionalId, id);
    this.learned(stored);
  }

  /** The history has this message: whoever sends it again is answered, also while the history is away. */
  learned({ id, provisionalId }: Stored): void {
    if (provisionalId === undefined || !isKeyed(provisionalId)) return;
    this.#claims.claim(provisionalId, id, this.#options.clock.elapsed());
  }

  /** Resolves once this pod has heard of its own publication, with its id; undefined: it will not any more. */
  echo(provisionalId: string): Promise<string | undefined> {
    return this.#echoes.wait(provisionalId);
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
        throw new Unavailable('it is taken, and what came before it cannot be read');
      this.#options.acknowledged?.(room, published.id);
      return published;
    } finally {
      this.#echoes.forget(provisionalId);
    }
  }

  async #appendOrHear(publication: Publication): Promise<Published> {
    try {
      return await this.#options.append(publication);
    } catch (error) {
      // The history went away before it answered, and after it had told the pods.
      const id = this.#echoes.soFar(publication.provisionalId);
      if (id === undefined) throw error;
      return { id, duplicate: false };
    }
  }
}
