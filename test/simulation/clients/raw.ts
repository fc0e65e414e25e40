import type { Ledger, Publication } from './ledger.ts';
import type { Line, LineUser } from '../network/line.ts';
import { type Kernel, Strand } from '../kernel/kernel.ts';
import type { Random } from '../../hostile/random.ts';
import { Seat } from './seat.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A line that is silent is asked for a sign of life, and is dead without one (docs/protocol.md, "Heartbeat"). */
const PING_MS = 4_000;
/** What was refused for now is sent again after so long. */
const AGAIN_MS = 500;
/** Who does not answer a handshake by then is asked no more. */
const CONNECT_MS = 3_000;
const LONGEST_BACKOFF_MS = 3_000;

export interface ClientOptions {
  readonly kernel: Kernel;
  readonly random: Random;
  readonly name: string;
  readonly user: string;
  readonly rooms: readonly string[];
  readonly ledger: Ledger;
  /** Opens a line to some pod; undefined: there is none. */
  readonly connect: (strand: Strand, target: string, user: LineUser) => Line | undefined;
  readonly note: (text: string) => void;
}

/** A command that waits for its answer. */
interface Asked {
  readonly what: string;
  readonly room: string;
  readonly line: number;
  readonly at: number;
}

interface Unacked {
  readonly publication: Publication;
  readonly frame: Fields;
}

/** A client written from docs/protocol.md alone: it comes back, resumes its rooms and sends again what was not acked. */
export class RawClient implements LineUser {
  readonly name: string;
  readonly user: string;
  readonly strand: Strand;
  readonly seats: readonly Seat[];
  readonly unacked = new Map<string, Unacked>();
  readonly unanswered = new Map<string, Asked>();
  /** Frames it was given. */
  frames = 0;
  line: Line | undefined;
  readonly #options: ClientOptions;
  #lines = 0;
  #refs = 0;
  #attempt = 0;
  #heard = true;
  #pings = 0;
  #drainMs: number | undefined;

  constructor(options: ClientOptions) {
    const { name, user, rooms, kernel } = options;
    this.#options = options;
    this.name = name;
    this.user = user;
    this.strand = new Strand(name);
    const time = (): number => kernel.time;
    this.seats = rooms.map((room) => new Seat({ client: name, user, room, time, judgesItself: false }));
  }

  start(): void {
    this.#after(0, () => this.#connect());
  }

  get lineNumber(): number {
    return this.#lines;
  }

  seat(room: string): Seat {
    const seat = this.seats.find((one) => one.room === room);
    if (seat === undefined) throw new Error(`${this.name} has no seat in ${room}`);
    return seat;
  }

  /** Becomes a member: after the last position it knows of, or as somebody new with so much history. */
  join(room: string, history: number, anew: boolean): void {
    const seat = this.seat(room);
    if (anew && seat.state === 'out') seat.forget();
    seat.wanted = true;
    this.#join(seat, history);
  }

  leave(room: string): void {
    const seat = this.seat(room);
    seat.wanted = false;
    if (this.line?.isOpen !== true || seat.state !== 'in') return;
    seat.leaves(this.#lines, this.line.pod.name);
    this.#ask('leave', { type: 'leave', room });
  }

  state(room: string, status: string, meta: unknown): void {
    const seat = this.seat(room);
    if (this.line?.isOpen !== true || seat.state !== 'in') return;
    seat.says(status, meta, this.#lines, this.line.pod.name);
    this.#ask('presence', { type: 'presence', room, data: seat.hidden ? { status } : { status, meta } });
  }

  publish(room: string, how: { ref: boolean; ephemeral: boolean }): Publication | undefined {
    if (this.line?.isOpen !== true) return undefined;
    const { ledger } = this.#options;
    const { user } = this;
    const ref = how.ref ? this.#nextRef() : undefined;
    const publication = ledger.publish({ room, user, ref, ephemeral: how.ephemeral });
    const frame = {
      type: 'chat',
      room,
      data: { t: publication.token },
      ...(ref !== undefined && { ref }),
      ...(how.ephemeral && { ephemeral: true }),
    };
    this.#publish({ publication, frame });
    return publication;
  }

  /** Sends what it, or another client of the user, has published before, with its ref. */
  repeat(publication: Publication): void {
    const { room, token, ref, ephemeral } = publication;
    if (this.line?.isOpen !== true || ref === undefined || ephemeral) return;
    this.#publish({ publication, frame: { type: 'chat', room, data: { t: token }, ref } });
  }

  /** A clean close is a leave of all its rooms. */
  close(): void {
    const { line } = this;
    if (line?.isOpen !== true) return;
    for (const seat of this.seats) if (seat.state === 'in') seat.closes(this.#lines, line.pod.name);
    line.close();
    // A machine that is gone does not answer.
    this.#after(CONNECT_MS, () => {
      if (this.line === line) this.drop(undefined, false);
    });
  }

  /** Loses its connection, and comes back as it does after any loss. */
  drop(noticedAfterMs: number | undefined, arrives: boolean): void {
    const { line } = this;
    if (line === undefined || line.isOver) return;
    line.drop(noticedAfterMs, arrives);
    this.#lost(line);
    this.#comeBack(0);
  }

  /** Takes nothing for a while. */
  read(reading: boolean): void {
    if (this.line !== undefined && !this.line.isOver) this.line.reading = reading;
  }

  opened(line: Line): void {
    if (line !== this.line) return;
    this.#options.note(`${this.name} is connected to ${line.pod.name}`);
    for (const seat of this.seats) if (seat.wanted) this.#join(seat, 0);
    for (const unacked of this.unacked.values()) this.#publish(unacked);
    this.#pingLater();
  }

  frame(line: Line, text: string): void {
    if (line !== this.line) return;
    this.#heard = true;
    this.frames += 1;
    const frame = JSON.parse(text) as Fields;
    const { ref, type, event, room } = frame;
    if (type === 'system' && event === 'connected') this.#attempt = 0;
    if (type === 'system' && event === 'drain') {
      this.#drainMs = (frame['data'] as { reconnect_after_ms: number }).reconnect_after_ms;
    }
    if (typeof ref === 'string') {
      if (type === 'error') this.#refused(ref, frame);
      else if (type === 'ack') this.#acked(ref, frame, line);
      this.unanswered.delete(ref);
    }
    const seat = this.seats.find((one) => one.room === room);
    seat?.take(frame, this.#lines, line.pod.name);
    // It was told to leave while it was about to join.
    if (seat?.state === 'in' && !seat.wanted && event === 'joined') this.leave(seat.room);
    if (seat?.state === 'out' && seat.wanted && event === 'left') this.#join(seat, 0);
  }

  closed(line: Line, code: number, refusal?: { status: number; retryAfterMs: number }): void {
    if (line !== this.line) return;
    if (refusal === undefined) this.#options.note(`${this.name} is closed by ${line.pod.name} with ${code}`);
    this.#lost(line, code === 1000);
    const wait = this.#drainMs ?? refusal?.retryAfterMs ?? 0;
    this.#comeBack(wait, this.#drainMs !== undefined);
    this.#drainMs = undefined;
  }

  #connect(): void {
    if (this.line !== undefined) return;
    const { random, connect } = this.#options;
    const seat = random.chance(0.3) ? this.seats.find(({ wanted }) => wanted) : undefined;
    let target = `/ws?user_id=${this.user}&dialect=message`;
    if (seat !== undefined) {
      const resume = seat.position === undefined ? '' : `&last_id=${encodeURIComponent(seat.position)}`;
      target = `/ws/${seat.room}?user_id=${this.user}${resume}`;
    }
    this.#lines += 1;
    this.line = connect(this.strand, target, this);
    if (this.line === undefined) return this.#comeBack(0);
    seat?.asks(seat.position, this.#lines, this.line.pod.name);
    const { line } = this;
    this.#after(CONNECT_MS, () => {
      if (this.line === line && !line.isOpen) this.drop(0, false);
    });
  }

  #join(seat: Seat, history: number): void {
    const { line } = this;
    if (line?.isOpen !== true || seat.state !== 'out') return;
    const { position, room } = seat;
    seat.asks(position, this.#lines, line.pod.name);
    this.#ask('join', {
      type: 'join',
      room,
      ...(position === undefined ? { history } : { last_id: position }),
    });
  }

  #publish({ publication, frame }: Unacked): void {
    const { line } = this;
    if (line === undefined) return;
    const { ref, attempts } = publication;
    attempts.push({ at: this.#options.kernel.time, client: this.name, pod: line.pod.name });
    if (ref !== undefined) this.unacked.set(ref, { publication, frame });
    line.send(JSON.stringify(frame));
  }

  #ask(what: string, frame: Fields & { readonly room: string }): void {
    const ref = this.#nextRef();
    const { room } = frame;
    this.unanswered.set(ref, { what, room, line: this.#lines, at: this.#options.kernel.time });
    this.line?.send(JSON.stringify({ ...frame, ref }));
  }

  #nextRef(): string {
    this.#refs += 1;
    return `${this.name}-${this.#refs}`;
  }

  #acked(ref: string, { id }: Fields, line: Line): void {
    const known = this.unacked.get(ref);
    this.unacked.delete(ref);
    known?.publication.acks.push({ at: this.#options.kernel.time, id: String(id), pod: line.pod.name });
  }

  #refused(ref: string, frame: Fields): void {
    const { code } = frame['data'] as { code: string };
    const asked = this.unanswered.get(ref);
    const known = this.unacked.get(ref);
    this.#options.note(`${this.name} is told ${code} for ${known?.publication.token ?? asked?.what ?? ref}`);
    if (known !== undefined) {
      known.publication.errors.push({ at: this.#options.kernel.time, code });
      // For now: it is sent again, as a client does that wants it published.
      this.#after(AGAIN_MS, () => {
        if (this.unacked.get(ref) === known && this.line?.isOpen === true) this.#publish(known);
      });
    } else if (asked !== undefined) this.#askAgain(asked);
  }

  #askAgain({ what, room }: Asked): void {
    const seat = this.seat(room);
    if (what === 'join' && seat.state === 'joining') {
      seat.state = 'out';
      this.#after(AGAIN_MS, () => void (seat.wanted && this.#join(seat, 0)));
    } else if (what === 'leave' && seat.state === 'leaving') seat.state = 'in';
  }

  #lost(line: Line, isClean = false): void {
    for (const seat of this.seats) seat.cut(this.#lines, line.pod.name, isClean);
    this.line = undefined;
    this.unanswered.clear();
    for (const [ref, { publication }] of this.unacked) if (publication.ephemeral) this.unacked.delete(ref);
  }

  #comeBack(atLeastMs: number, exact = false): void {
    const { random } = this.#options;
    const backoff = random.next() * Math.min(LONGEST_BACKOFF_MS, 1_000 * 2 ** this.#attempt);
    this.#attempt += 1;
    this.#after(atLeastMs + (exact ? 0 : backoff), () => this.#connect());
  }

  #pingLater(): void {
    this.#pings += 1;
    const ping = this.#pings;
    this.#after(PING_MS, () => {
      const { line } = this;
      if (ping !== this.#pings || line?.isOpen !== true) return;
      if (!this.#heard) return this.drop(undefined, false);
      this.#heard = false;
      line.send(JSON.stringify({ type: 'ping' }));
      this.#pingLater();
    });
  }

  #after(ms: number, run: () => void): void {
    this.#options.kernel.after(ms, this.strand, run);
  }
}
