import type { Frame } from '../support/client.ts';
import { Line, type LineUser } from './line.ts';
import type { PodProcess } from '../support/stack/pods.ts';
import type { Publication, Story } from './story.ts';
import type { Random } from '../hostile/random.ts';
import { Seat } from './seat.ts';

export interface ActorOptions {
  readonly name: string;
  readonly user: string;
  readonly rooms: readonly string[];
  readonly pods: readonly PodProcess[];
  readonly random: Random;
  readonly story: Story;
}

/** What a fault may make of a command: what cannot be taken is refused; who was just taken out of a room is not in it. */
const PERMITTED = new Set(['unavailable', 'not_in_room']);

/** A client as it should be: it comes back by itself, resumes its rooms and sends again what was not acked. */
export class Actor implements LineUser {
  readonly name: string;
  readonly user: string;
  readonly seats: readonly Seat[];
  /** By ref: published with one, and neither acked nor refused. */
  readonly unacked = new Map<string, { publication: Publication; frame: Frame }>();
  /** Where the next connection is to go; anywhere if not said. */
  nextPod: PodProcess | undefined;
  readonly #options: ActorOptions;
  #line: Line | undefined;
  #refs = 0;
  #stopped = false;

  constructor(options: ActorOptions) {
    const { name, user, rooms, story } = options;
    this.#options = options;
    this.name = name;
    this.user = user;
    this.seats = rooms.map((room) => new Seat(name, user, room, story));
    story.seats.push(...this.seats);
  }

  /** Its connection, while it is open. */
  get line(): Line | undefined {
    return this.#line?.isOpen ? this.#line : undefined;
  }

  connect(): void {
    if (this.#line !== undefined || this.#stopped) return;
    const { pods, random } = this.#options;
    const pod = this.nextPod ?? random.pick(pods);
    this.nextPod = undefined;
    const seat = random.chance(0.3) ? this.seats.find(({ wanted }) => wanted) : undefined;
    let path = `/ws?user_id=${this.user}&dialect=message`;
    if (seat !== undefined) {
      const { position } = seat;
      seat.asked = position;
      seat.state = 'joining';
      path = `/ws/${seat.room}?user_id=${this.user}${position === undefined ? '' : `&last_id=${position}`}`;
    }
    this.#line = new Line(pod, path, this);
  }

  /** Becomes a member: after the last position it knows of, or as somebody new. */
  join(seat: Seat, history = 0): void {
    seat.wanted = true;
    if (this.line === undefined || seat.state !== 'out') return;
    const { position } = seat;
    seat.asked = position;
    seat.state = 'joining';
    const how = position === undefined ? { history } : { last_id: position };
    this.#ask(`join ${seat.room}`, { type: 'join', room: seat.room, ...how });
  }

  leave(seat: Seat): void {
    seat.wanted = false;
    if (this.line === undefined || seat.state !== 'in') return;
    seat.state = 'leaving';
    seat.present(undefined);
    this.#ask(`leave ${seat.room}`, { type: 'leave', room: seat.room });
  }

  state(seat: Seat, status: string, meta: Record<string, unknown>): void {
    if (this.line === undefined || seat.state !== 'in') return;
    seat.hidden = status === 'offline';
    seat.present(seat.hidden ? undefined : this.line.pod);
    const data = seat.hidden ? { status } : { status, meta };
    this.#ask(`state ${seat.room} ${JSON.stringify(data)}`, { type: 'presence', room: seat.room, data });
  }

  publish(room: string, how: { ref: boolean; ephemeral: boolean }): Publication | undefined {
    if (this.line === undefined) return undefined;
    const { story } = this.#options;
    const ref = how.ref ? this.#ref() : undefined;
    const publication = story.publication({ room, user: this.user, ref, ephemeral: how.ephemeral });
    const frame = { type: 'chat', room, data: { token: publication.token } };
    this.#send(publication, {
      ...frame,
      ...(ref !== undefined && { ref }),
      ...(how.ephemeral && { ephemeral: true }),
    });
    return publication;
  }

  /** Sends what another connection of the user has published already, as it was. */
  repeat(publication: Publication): void {
    const { ref, room, token } = publication;
    if (this.line === undefined || ref === undefined) return;
    this.#send(publication, { type: 'chat', room, data: { token }, ref });
  }

  close(): void {
    this.#absent();
    this.#line?.close();
  }

  terminate(): void {
    this.#absent();
    this.#line?.terminate();
  }

  stop(): void {
    this.#stopped = true;
    this.#line?.terminate();
  }

  opened(line: Line): void {
    for (const seat of this.seats) if (seat.wanted) this.join(seat);
    for (const { publication, frame } of this.unacked.values()) {
      this.#noteSend(publication, line);
      line.send(frame);
    }
  }

  received(line: Line, frame: Frame): void {
    const { type, ref } = frame;
    if (typeof ref === 'string') line.unanswered.delete(ref);
    if (type === 'ack' || type === 'error') this.#answered(frame, line.pod);
    else this.seats.find(({ room }) => room === frame['room'])?.take(frame, line.number, line.pod);
  }

  gone(line: Line): void {
    const { random, story } = this.#options;
    for (const [ref, { publication }] of this.unacked) if (publication.ephemeral) this.unacked.delete(ref);
    for (const seat of this.seats) seat.cut(line.number, line.pod);
    this.#line = undefined;
    story.note(`${this.name} lost its connection to ${line.pod}`);
    if (!this.#stopped) setTimeout(() => this.connect(), random.int(0, random.chance(0.3) ? 2_500 : 300));
  }

  #noteSend({ sends }: Publication, { pod, number: line }: Line): void {
    sends.push({ tick: this.#options.story.tick(), by: this.name, pod, line });
  }

  #absent(): void {
    for (const seat of this.seats) if (seat.state !== 'out') seat.present(undefined);
  }

  #ref(): string {
    this.#refs += 1;
    return `${this.name}-${this.#refs}`;
  }

  #ask(what: string, frame: Frame): void {
    const ref = this.#ref();
    this.line?.unanswered.set(ref, what);
    this.line?.send({ ...frame, ref });
  }

  #send(publication: Publication, frame: Frame): void {
    const { line } = this;
    if (line === undefined) return;
    const { ref } = publication;
    this.#noteSend(publication, line);
    if (ref !== undefined) this.unacked.set(ref, { publication, frame });
    line.send(frame);
  }

  #answered({ type, ref, id, data }: Frame, pod: string): void {
    const { story } = this.#options;
    const known = this.unacked.get(String(ref));
    if (type === 'error') {
      const { code } = data as { code: string };
      story.note(`${this.name} was told ${code} for ${known?.publication.token ?? String(ref)}`);
      known?.publication.errors.push({ tick: story.tick(), code });
      if (!PERMITTED.has(code)) story.errors.push(`${this.name} on ${pod} was told ${code}`);
    } else known?.publication.acks.push({ tick: story.tick(), id: String(id), pod });
    if (known !== undefined) this.unacked.delete(String(ref));
  }
}
