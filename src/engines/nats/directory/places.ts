import { ANSWER_MS } from '../../shared/terms.ts';
import { ensureStream, UNNAMED_MS } from '../connection/streams.ts';
import { ignored } from '../../shared/ignored.ts';
import { isWrongSequence, natsUnavailable, NatsRefused } from '../connection/answers.ts';
import type { NatsBackbone } from '../connection/backbone.ts';
import { textToken } from '../connection/names.ts';
import { Window } from '../connection/window.ts';

/** Places that no pod writes again expire after this: those of dead pods, which do not count. */
export const PLACES_AGE_MS = 86_400_000;

/** The places of so many users are written at once. */
const WRITES = 256;

/** A user's places: for each connection that has one, the lease under which it was taken. */
interface Places {
  /** The stream sequence of the message; 0: there is none. */
  readonly sequence: number;
  readonly leases: ReadonlyMap<string, string>;
}

const NONE: Places = { sequence: 0, leases: new Map() };

/**
 * The places of all users on all pods: one message for each user, written only if it has not changed since it was read.
 */
export class NatsPlaces {
  readonly #backbone: NatsBackbone;
  /** The last known places of the users who have places on this pod. */
  readonly #known = new Map<string, Places>();
  /** The last task of each user; tasks of one user run one after the other. */
  readonly #turns = new Map<string, Promise<void>>();
  readonly #window = new Window(WRITES);

  constructor(backbone: NatsBackbone) {
    this.#backbone = backbone;
    const { link, names, replicas } = backbone;
    link.prepare(async (live) => {
      const subjects = [names.subject('places', '*')];
      await ensureStream(live, {
        name: this.#stream,
        subjects,
        replicas,
        maxAgeMs: PLACES_AGE_MS,
        perSubject: 1,
        duplicatesMs: UNNAMED_MS,
      });
    });
  }

  /** False if the user has `most` places already. Raises Unavailable. */
  take(userId: string, connectionId: string, most: number): Promise<boolean> {
    return this.#inTurn(userId, () => this.#take(userId, connectionId, most));
  }

  /** Raises Unavailable. */
  giveBack(userId: string, connectionId: string): Promise<void> {
    return this.#inTurn(userId, () => this.#giveBack(userId, connectionId));
  }

  /** Writes places of this pod's users again that an operator has purged. Raises Unavailable. */
  async restore(): Promise<void> {
    if (this.#known.size === 0) return;
    const { state } = await this.#backbone.link.call(({ jsm }) => jsm.streams.info(this.#stream));
    const old = Array.from(this.#known).filter(([, { sequence }]) => sequence < state.first_seq);
    await Promise.all(old.map(([userId]) => this.#inTurn(userId, () => this.#restore(userId))));
  }

  async #restore(userId: string): Promise<void> {
    const before = this.#known.get(userId) ?? NONE;
    const isLate = this.#deadline();
    while (!isLate()) {
      const now = await this.#read(userId);
      const gone = Array.from(before.leases).filter(
        ([connection, name]) => this.#isOwn(name) && !now.leases.has(connection),
      );
      // Another pod may have written them, or the user may have left.
      if (gone.length === 0) {
        if (this.#known.has(userId)) this.#known.set(userId, now);
        return;
      }
      if (await this.#write(userId, { ...now, leases: new Map([...now.leases, ...gone]) })) return;
    }
  }

  async #take(userId: string, connectionId: string, most: number): Promise<boolean> {
    const { lease, leases } = this.#backbone;
    const { name } = lease;
    if (!(await leases.lives(name))) throw natsUnavailable('this pod takes another lease');
    const isLate = this.#deadline();
    let isFresh = false;
    for (let places = this.#known.get(userId) ?? NONE; !isLate(); places = await this.#read(userId)) {
      const others = await this.#others(places, connectionId);
      if (others.size >= most) {
        if (isFresh) return false;
      } else {
        others.set(connectionId, name);
        if (await this.#write(userId, { ...places, leases: others })) return true;
      }
      isFresh = true;
    }
    throw natsUnavailable('too many pods change the places of this user at once');
  }

  async #giveBack(userId: string, connectionId: string): Promise<void> {
    const isLate = this.#deadline();
    for (let places = this.#known.get(userId); !isLate(); places = await this.#read(userId)) {
      if (places === undefined) continue;
      if (!places.leases.has(connectionId)) return;
      const leases = new Map(places.leases);
      leases.delete(connectionId);
      if (await this.#write(userId, { ...places, leases })) return;
    }
    throw natsUnavailable('too many pods change the places of this user at once');
  }

  /** The places of the other connections whose pods are alive. */
  async #others({ leases }: Places, connectionId: string): Promise<Map<string, string>> {
    const others = new Map<string, string>();
    for (const [other, name] of leases)
      if (other !== connectionId && (await this.#backbone.leases.lives(name))) others.set(other, name);
    return others;
  }

  async #read(userId: string): Promise<Places> {
    const { link } = this.#backbone;
    const query = { last_by_subj: this.#subjectOf(userId) };
    const message = await link.call(({ jsm }) => jsm.streams.getMessage(this.#stream, query));
    return message === null ? NONE : { sequence: message.seq, leases: leasesIn(message.data) };
  }

  /** False: another pod has changed them since they were read. */
  async #write(userId: string, { sequence, leases }: Places): Promise<boolean> {
    const { link } = this.#backbone;
    try {
      if (leases.size === 0) {
        this.#known.delete(userId);
        await link.call(({ jsm }) => jsm.streams.deleteMessage(this.#stream, sequence, false));
        return true;
      }
      const text = JSON.stringify(Object.fromEntries(leases));
      const expect = { lastSubjectSequence: sequence };
      const { seq } = await link.call(({ js }) => js.publish(this.#subjectOf(userId), text, { expect }));
      if (Array.from(leases.values()).some((name) => this.#isOwn(name)))
        this.#known.set(userId, { sequence: seq, leases });
      else this.#known.delete(userId);
      return true;
    } catch (error) {
      this.#known.delete(userId);
      if (isWrongSequence(error) || (leases.size === 0 && error instanceof NatsRefused)) return false;
      throw error;
    }
  }

  #isOwn(name: string): boolean {
    return name.startsWith(`${this.#backbone.pod}.`);
  }

  #inTurn<R>(userId: string, task: () => Promise<R>): Promise<R> {
    const turn = (this.#turns.get(userId) ?? Promise.resolve()).then(() => this.#window.run(task));
    const end = turn.then(ignored, ignored).finally(() => {
      if (this.#turns.get(userId) === end) this.#turns.delete(userId);
    });
    this.#turns.set(userId, end);
    return turn;
  }

  #deadline(): () => boolean {
    const { clock } = this.#backbone;
    const late = clock.elapsed() + ANSWER_MS;
    return () => clock.elapsed() > late;
  }

  #subjectOf(userId: string): string {
    return this.#backbone.names.subject('places', textToken(userId));
  }

  get #stream(): string {
    return this.#backbone.names.stream('places');
  }
}

/** Empty for what another program wrote. */
function leasesIn(data: Uint8Array): Map<string, string> {
  try {
    const read = JSON.parse(Buffer.from(data).toString()) as Record<string, unknown>;
    return new Map(Object.entries(read).map(([connection, name]) => [connection, String(name)]));
  } catch {
    return new Map();
  }
}
