import type { ClientOptions } from './raw.ts';
import { Crosspod } from '../../../src/client/client.ts';
import type { Hint, Platform } from '../../../src/client/platform.ts';
import type { Line, LineUser } from '../network/line.ts';
import type { Publication } from './ledger.ts';
import type { Room } from '../../../src/client/room.ts';
import { Seat } from './seat.ts';
import { Strand } from '../kernel/kernel.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A client that is the product's own library; what comes on its lines is noted as it passes. */
export class LibraryClient {
  readonly name: string;
  readonly user: string;
  readonly strand: Strand;
  readonly seats: readonly Seat[];
  /** By token: what was sent and neither acked nor refused. */
  readonly unacked = new Map<string, Publication>();
  frames = 0;
  line: Line | undefined;
  readonly #options: ClientOptions;
  readonly #rooms = new Map<string, Room>();
  #client: Crosspod | undefined;
  #lines = 0;
  #hints: ((hint: Hint) => void)[] = [];

  constructor(options: ClientOptions) {
    const { name, user, rooms, kernel } = options;
    this.#options = options;
    this.name = name;
    this.user = user;
    this.strand = new Strand(name);
    const time = (): number => kernel.time;
    this.seats = rooms.map((room) => new Seat({ client: name, user, room, time, judgesItself: true }));
  }

  start(): void {
    this.#do(() => {
      const platform = this.#platform();
      this.#client = new Crosspod('ws://ingress/ws', { userId: this.user, platform });
      this.#client.onError((error) => this.#options.note(`${this.name} is told ${error.code}`));
    });
  }

  get lineNumber(): number {
    return this.#lines;
  }

  seat(room: string): Seat {
    const seat = this.seats.find((one) => one.room === room);
    if (seat === undefined) throw new Error(`${this.name} has no seat in ${room}`);
    return seat;
  }

  join(name: string, history: number): void {
    const seat = this.seat(name);
    if (seat.wanted) return;
    seat.wanted = true;
    this.#do(() => {
      const room = this.#room(name);
      room.join({ history }).catch(() => undefined);
    });
  }

  leave(name: string): void {
    const seat = this.seat(name);
    if (!seat.wanted) return;
    seat.wanted = false;
    seat.leaves(this.#lines, this.line?.pod.name ?? '');
    seat.forget();
    seat.hidden = false;
    seat.said = undefined;
    seat.state = 'out';
    this.#do(() => this.#rooms.get(name)?.leave());
  }

  state(name: string, status: string, meta: unknown): void {
    const seat = this.seat(name);
    if (seat.state !== 'in') return;
    seat.says(status, meta, this.#lines, this.line?.pod.name ?? '');
    this.#do(() => this.#room(name).setPresence(status as 'online', meta as object));
  }

  publish(name: string, { ephemeral }: { ephemeral: boolean }): Publication | undefined {
    if (this.line?.isOpen !== true) return undefined;
    const { kernel, ledger } = this.#options;
    const { user } = this;
    const publication = ledger.publish({ room: name, user, ref: 'library', ephemeral });
    publication.attempts.push({ at: kernel.time, client: this.name, pod: this.line.pod.name });
    this.unacked.set(publication.token, publication);
    this.#do(() => {
      (this.#client as Crosspod)
        .room(name)
        .send({ t: publication.token }, { ephemeral })
        .then(
          (id) => void publication.acks.push({ at: kernel.time, id, pod: this.line?.pod.name ?? '' }),
          (error: { code: string }) => void publication.errors.push({ at: kernel.time, code: error.code }),
        )
        .finally(() => this.unacked.delete(publication.token));
    });
    return publication;
  }

  drop(noticedAfterMs: number | undefined, arrives: boolean): void {
    const { line } = this;
    if (line === undefined || line.isOver) return;
    line.drop(noticedAfterMs, arrives);
    this.#do(() => this.#closedListener?.({ code: 1006, reason: '' }));
  }

  read(reading: boolean): void {
    if (this.line !== undefined && !this.line.isOver) this.line.reading = reading;
  }

  /** Tells it that things are better than before, as a browser does. */
  hint(): void {
    this.#do(() => {
      for (const listener of this.#hints) listener('better');
    });
  }

  #closedListener: ((event: { code: number; reason: string }) => void) | undefined;

  #room(name: string): Room {
    const known = this.#rooms.get(name);
    if (known !== undefined) return known;
    const room = (this.#client as Crosspod).room(name);
    const seat = this.seat(name);
    room.onMessage(() => seat.showLast());
    // To listen is to be there; whether it is to be there is said by `join` and `leave`.
    this.#rooms.set(name, room);
    return room;
  }

  #platform(): Partial<Platform> {
    const { kernel, random } = this.#options;
    const { strand } = this;
    const open = (url: string): SocketLike => this.#open(url);
    return {
      clock: {
        now: () => Math.floor(kernel.now(strand)),
        setTimeout: (callback, ms) => kernel.after(ms, strand, callback),
        clearTimeout: (timer) => {
          if (timer !== undefined) (timer as { cancelled: boolean }).cancelled = true;
        },
      },
      random: () => random.next(),
      WebSocket: function (this: unknown, url: string) {
        return open(url);
      } as unknown as Platform['WebSocket'],
      // Why a handshake failed shows in nothing that the simulator can tell a fetch: it was the line.
      fetch: () => Promise.reject(new Error('no answer')),
      watch: (listener) => {
        this.#hints.push(listener);
        return () => undefined;
      },
      warn: () => undefined,
    };
  }

  /** What the library takes for a WebSocket. */
  #open(url: string): SocketLike {
    const { connect, note } = this.#options;
    const listeners: Listeners = { message: () => undefined, close: () => undefined };
    const number = (this.#lines += 1);
    const user: LineUser = {
      opened: (line) => note(`${this.name} is connected to ${line.pod.name}`),
      frame: (line, text) => {
        this.frames += 1;
        this.#tap(JSON.parse(text) as Fields, number, line);
        listeners.message({ data: text });
      },
      closed: (line, code, refusal) => {
        if (refusal === undefined) note(`${this.name} is closed by ${line.pod.name} with ${code}`);
        if (line === this.line) for (const seat of this.seats) seat.cut(number, line.pod.name);
        listeners.close({ code, reason: '' });
      },
    };
    const line = connect(this.strand, `/ws${new URL(url).search}&dialect=message`, user);
    this.line = line;
    this.#closedListener = (event) => {
      if (line !== undefined) for (const seat of this.seats) seat.cut(number, line.pod.name);
      listeners.close(event);
    };
    if (line === undefined) this.#do(() => listeners.close({ code: 1006, reason: '' }));
    return {
      addEventListener: (type, listener) => {
        if (type !== 'error') listeners[type] = listener as Listeners['message'] & Listeners['close'];
      },
      send: (text) => {
        this.#asked(text, number, line);
        line?.send(text);
      },
      close: (code) => {
        if (line === undefined || line.isOver) return;
        for (const seat of this.seats) seat.cut(number, line.pod.name);
        line.close(code);
      },
    };
  }

  /** What the library says itself is looked at as well: with which position it resumes. */
  #asked(text: string, number: number, line: Line | undefined): void {
    const { type, room, last_id: after } = JSON.parse(text) as Record<string, string | undefined>;
    if (type !== 'join' || line === undefined) return;
    this.seats.find((seat) => seat.room === room)?.asks(after, number, line.pod.name);
  }

  #tap(frame: Fields, number: number, line: Line): void {
    if (line !== this.line) return;
    this.seats.find((seat) => seat.room === frame['room'])?.take(frame, number, line.pod.name);
  }

  #do(run: () => void): void {
    this.#options.kernel.after(0, this.strand, run);
  }
}

interface Listeners {
  message: (event: { data: string }) => void;
  close: (event: { code: number; reason: string }) => void;
}

interface SocketLike {
  addEventListener(type: 'message' | 'close' | 'error', listener: (event: never) => void): void;
  send(text: string): void;
  close(code?: number): void;
}
