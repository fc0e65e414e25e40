import type {
  Answerer,
  Answers,
  Directory,
  DirectorySource,
  Occupied,
  Load,
} from '../../core/ports/directory.ts';
import { NatsPlaces, PLACES_AGE_MS } from './directory/places.ts';
import { Unavailable } from '../shared/unavailable.ts';
import { every } from '../../core/base/every.ts';
import type { Leaseholder } from '../shared/lease.ts';
import type { NatsBackbone } from './connection/backbone.ts';
import { NatsQuestions } from './directory/questions.ts';
import { NatsRooms } from './directory/rooms.ts';

/** The directory of all pods. Each pod is asked for its rooms, loads are stored in the leases, places in a stream. */
export class NatsDirectory implements Directory, Leaseholder {
  readonly #backbone: NatsBackbone;
  readonly #places: NatsPlaces;
  readonly #rooms: NatsRooms;
  readonly #questions: NatsQuestions;
  #source: DirectorySource | undefined;
  /** Whether `admit` was ever called. If not, this pod has no places to write or give back. */
  #admits = false;
  #timers: readonly (() => void)[] = [];

  constructor(backbone: NatsBackbone) {
    this.#backbone = backbone;
    this.#places = new NatsPlaces(backbone);
    this.#rooms = new NatsRooms(backbone, () => this.#source);
    this.#questions = new NatsQuestions(backbone);
    backbone.lease.add(this);
  }

  start(source: DirectorySource, answer: Answerer): Promise<void> {
    this.#source = source;
    this.#questions.questions.start(answer);
    const { clock, link, lookMs } = this.#backbone;
    this.#timers = [
      // Places would expire although their connections last.
      every(clock, PLACES_AGE_MS / 3, () => {
        this.rewriteAll().catch((error: unknown) => this.#failed(error));
      }),
      every(clock, lookMs, () => {
        if (link.up) this.#places.restore().catch((error: unknown) => this.#failed(error));
      }),
    ];
    return Promise.resolve();
  }

  /** Nothing to do: each pod is asked for its rooms when they are listed. */
  changed(): void {}

  rooms(prefix: string, after: string, limit: number): Promise<Occupied[]> {
    return this.#rooms.page(prefix, after, limit);
  }

  async admit(userId: string, connectionId: string, most: number): Promise<boolean> {
    this.#admits = true;
    try {
      return await this.#places.take(userId, connectionId, most);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      return (this.#source?.connectionsOf(userId).length ?? 0) < most;
    }
  }

  async release(userId: string, connectionId: string): Promise<void> {
    if (!this.#admits) return;
    // A place that cannot be given back expires with the lease.
    await this.#places.giveBack(userId, connectionId).catch((error: unknown) => this.#failed(error));
  }

  async loads(own: Load | undefined): Promise<readonly Load[]> {
    const { clock, leases, link } = this.#backbone;
    // `since` is stored by the server's clock, which all pods share.
    const offset = link.now() - clock.elapsed();
    leases.load = own && { ...own, since: own.since + offset };
    const others = await leases.loads();
    return others.map((load) => ({ ...load, since: load.since - offset }));
  }

  ask(question: string, isEnough?: (answer: string) => boolean): Promise<Answers> {
    return this.#questions.ask(question, isEnough);
  }

  stop(): Promise<void> {
    this.#questions.questions.stop();
    this.#source = undefined;
    for (const stop of this.#timers) stop();
    return Promise.resolve();
  }

  async rewriteAll(): Promise<void> {
    if (!this.#admits) return;
    const all = Array.from(this.#source?.connections() ?? []);
    await Promise.all(
      all.map(({ userId, connectionId }) => this.#places.take(userId, connectionId, Number.MAX_SAFE_INTEGER)),
    );
  }

  /** Nothing to do: a dead pod's places do not count, and expire. */
  reap(): Promise<void> {
    return Promise.resolve();
  }

  #failed(error: unknown): void {
    if (error instanceof Unavailable) return;
    this.#backbone.log.error({ err: error }, 'the directory could not be written');
  }
}
