import type { PodProcess } from '../support/stack/pods.ts';
import { type Client, type Frame, open } from '../support/client.ts';
import { eventually } from './world.ts';

/** A numbered message as a witness received it for the first time. */
export interface Heard {
  readonly id: string;
  readonly by: string;
  readonly n: number;
  /** It came before the history had it. */
  readonly isProvisional: boolean;
  /** The id that it had before the history had it, or would have had. */
  readonly provisionalId: string | undefined;
}

/** What was said by whom, up to which number. */
export type Said = ReadonlyMap<string, number>;

/**
 * A member of one room that behaves as docs/protocol.md asks of a client: it drops what it had by `id` or
 * `provisional_id`, and comes back with the last position it received. It remembers everything.
 */
export class Witness {
  readonly user: string;
  readonly room: string;
  /** Whether it asks for an ack, which makes a publication idempotent as well. */
  wantsAcks = true;
  readonly #clients: Client[] = [];
  #said = 0;

  constructor(user: string, room: string) {
    this.user = user;
    this.room = room;
  }

  static async join(pod: PodProcess, room: string, user: string, more: Frame = {}): Promise<Witness> {
    const witness = new Witness(user, room);
    await witness.connect(pod, more);
    return witness;
  }

  get client(): Client {
    const client = this.#clients.at(-1);
    if (client === undefined) throw new Error(`${this.user} was never connected`);
    return client;
  }

  /** Every frame that came for the room, over all connections. */
  get frames(): Frame[] {
    return this.#clients.flatMap(({ frames }) => frames).filter(({ room }) => room === this.room);
  }

  /** Connects and joins; gives `joined`. */
  async connect(pod: PodProcess, more: Frame = {}): Promise<Frame> {
    const client = await open(pod, `/ws?dialect=message&user_id=${this.user}`);
    this.#clients.push(client);
    client.send({ type: 'join', room: this.room, ...more });
    return client.next({ event: 'joined', room: this.room });
  }

  /** Cuts the connection without a word. */
  leave(): Promise<void> {
    return this.client.terminate();
  }

  /** Comes back with the last position it has; gives `joined`. */
  return(pod: PodProcess): Promise<Frame> {
    return this.connect(pod, { last_id: this.position });
  }

  /** Of the last kept message that came; before the first that of `joined`. */
  get position(): string {
    const last = this.frames.findLast(
      ({ type, provisional, ephemeral }) => type === 'chat' && provisional !== true && ephemeral !== true,
    );
    if (last !== undefined) return String(last['id']);
    const joined = this.frames.find(({ event }) => event === 'joined');
    return String((joined?.['data'] as { position?: string } | undefined)?.position);
  }

  /** Says its next number; gives the ref of the publication. */
  say(more: Frame = {}): string {
    this.#said += 1;
    const ref = `${this.user}-${this.#said}`;
    const data = { by: this.user, n: this.#said };
    this.client.send({ type: 'chat', room: this.room, data, ...(this.wantsAcks && { ref }), ...more });
    return ref;
  }

  /** How many numbers it has said. */
  get said(): number {
    return this.#said;
  }

  /** The acks and errors that answered publications, by ref. */
  answers(): Map<string, Frame> {
    const frames = this.#clients.flatMap((client) => client.frames);
    const answers = frames.filter(({ type }) => type === 'ack' || type === 'error');
    return new Map(answers.map((frame) => [String(frame['ref']), frame]));
  }

  /** The frame that answered a publication, once it is there. */
  async answerTo(ref: string): Promise<Frame> {
    await eventually(`an answer to ${ref}`, () => this.answers().has(ref));
    return this.answers().get(ref) ?? {};
  }

  /** The numbered messages without those it had already. */
  heard(): Heard[] {
    const had = new Set<string>();
    const heard: Heard[] = [];
    for (const frame of this.frames.filter(({ type }) => type === 'chat')) {
      const { by, n } = (frame['data'] ?? {}) as { by?: string; n?: number };
      const {
        id,
        provisional,
        provisional_id: earlier,
      } = frame as {
        id: string;
        provisional?: true;
        provisional_id?: string;
      };
      const isKnown = had.has(id) || (earlier !== undefined && had.has(earlier));
      had.add(id);
      if (earlier !== undefined) had.add(earlier);
      if (isKnown || by === undefined || n === undefined) continue;
      heard.push({
        id,
        by,
        n,
        isProvisional: provisional === true,
        provisionalId: provisional === true ? id : earlier,
      });
    }
    return heard;
  }

  /** Why it was told that something is missing, once for each time. */
  losses(): string[] {
    const told = this.frames
      .filter(({ event }) => event === 'joined' || event === 'recovered')
      .map(({ data }) => data as { recovered?: boolean; reason?: string });
    return told.filter(({ recovered }) => recovered === false).map(({ reason }) => String(reason));
  }

  /** What it was told last of how it came back, once that is more than that history could not be read. */
  async verdict(): Promise<{ recovered: boolean; reason?: string }> {
    const told = (): { recovered: boolean; reason?: string } =>
      this.frames.findLast(({ event }) => event === 'joined' || event === 'recovered')?.['data'] as never;
    await eventually(`a verdict for ${this.user}`, () => told().reason !== 'unavailable');
    return told();
  }

  /** Whether it has all that was said. */
  hasAll(said: Said): boolean {
    const numbers = Map.groupBy(this.heard(), ({ by }) => by);
    return [...said].every(([by, most]) => {
      const heard = new Set(numbers.get(by)?.map(({ n }) => n));
      return heard.size === most;
    });
  }

  /** What of that it has not. */
  missing(said: Said): string[] {
    const heard = new Set(this.heard().map(({ by, n }) => `${by} ${n}`));
    return [...said].flatMap(([by, most]) =>
      Array.from({ length: most }, (_, index) => `${by} ${index + 1}`).filter((one) => !heard.has(one)),
    );
  }
}
