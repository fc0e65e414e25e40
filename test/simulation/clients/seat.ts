import { type Person, View } from './view.ts';

interface At {
  /** Virtual milliseconds. */
  readonly at: number;
  /** Which of the client's connections. */
  readonly line: number;
  readonly pod: string;
}

/** A message as a connection brought it. */
export interface Sighting extends At {
  readonly kind: 'message';
  readonly token: string;
  readonly id: string;
  readonly provisional: boolean;
  readonly ephemeral: boolean;
  readonly provisionalId: string | undefined;
  /** It was new to the client, who drops what it had by id or provisional id (docs/protocol.md). */
  isNew: boolean;
  /** It knows nothing of what it had under an earlier number. */
  readonly memory: number;
}

export interface JoinedEntry extends At {
  readonly kind: 'joined';
  /** The `last_id` it was asked with. */
  readonly after: string | undefined;
  readonly position: string;
  readonly recovered: boolean | undefined;
  readonly reason: string | undefined;
  readonly replayed: number;
}

export interface RecoveredEntry extends At {
  readonly kind: 'recovered';
  readonly recovered: boolean;
  readonly reason: string | undefined;
  readonly replayed: number;
}

export interface PresenceEntry extends At {
  readonly kind: 'presence';
  readonly user: string;
  readonly status: string;
}

export type Entry =
  | Sighting
  | JoinedEntry
  | RecoveredEntry
  | PresenceEntry
  | (At & { readonly kind: 'asked'; readonly after: string | undefined })
  | (At & { readonly kind: 'said'; readonly status: string })
  | (At & { readonly kind: 'cut'; readonly isClean: boolean })
  | (At & { readonly kind: 'left' | 'leaving' | 'members' });

type Fields = Readonly<Record<string, unknown>>;

export interface SeatOptions {
  readonly client: string;
  readonly user: string;
  readonly room: string;
  readonly time: () => number;
  /** Whether the client tells by itself what is new: then nothing is dropped here. */
  readonly judgesItself: boolean;
}

/** One client's stay in a room over all its connections, as docs/protocol.md has a client keep it: what it was told, where it stands. */
export class Seat {
  readonly client: string;
  readonly user: string;
  readonly room: string;
  readonly entries: Entry[] = [];
  readonly #time: () => number;
  /** A library drops by itself what it had, and says again by itself what it said. */
  readonly judgesItself: boolean;
  state: 'out' | 'joining' | 'in' | 'leaving' = 'out';
  /** It is to be a member, whatever happens to its connection. */
  wanted = false;
  hidden = false;
  position: string | undefined;
  view = new View();
  /** What it said of itself last. */
  said: { readonly status: string; readonly meta: unknown } | undefined;
  #memory = 0;
  #seen = new Set<string>();
  #asked: string | undefined;

  constructor({ client, user, room, time, judgesItself }: SeatOptions) {
    this.client = client;
    this.user = user;
    this.room = room;
    this.#time = time;
    this.judgesItself = judgesItself;
  }

  /** A join is on its way, after this position or as somebody new. */
  asks(after: string | undefined, line: number, pod: string): void {
    this.state = 'joining';
    this.#asked = after;
    this.entries.push({ kind: 'asked', at: this.#time(), line, pod, after });
  }

  /** It begins anew, as somebody who knows nothing. */
  forget(): void {
    this.#memory += 1;
    this.position = undefined;
    this.#seen = new Set();
  }

  /** A frame that names the room came on a connection. */
  take(frame: Fields, line: number, pod: string): void {
    const at: At = { at: this.#time(), line, pod };
    const data = (frame['data'] ?? {}) as Fields;
    if (frame['type'] === 'chat') this.#message(frame, at);
    else if (frame['type'] === 'presence') this.#presence(data as unknown as Person, at);
    else if (frame['event'] === 'joined') this.#joined(data, at);
    else if (frame['event'] === 'recovered') {
      const { recovered = true, reason, replayed = 0 } = data as Partial<RecoveredEntry>;
      this.entries.push({ kind: 'recovered', ...at, recovered, reason, replayed });
    } else if (frame['event'] === 'members') {
      this.view.replaced(data['members']);
      this.entries.push({ kind: 'members', ...at });
    } else if (frame['event'] === 'left') {
      this.state = 'out';
      this.entries.push({ kind: 'left', ...at });
    }
  }

  /** Its own library has shown what came last. */
  showLast(): void {
    const last = this.entries.at(-1);
    if (last?.kind === 'message') last.isNew = true;
  }

  /** It says something of itself. */
  says(status: string, meta: unknown, line: number, pod: string): void {
    this.hidden = status === 'offline';
    this.said = { status, meta };
    this.entries.push({ kind: 'said', at: this.#time(), line, pod, status });
  }

  /** It is about to leave. */
  leaves(line: number, pod: string): void {
    this.state = 'leaving';
    this.closes(line, pod);
  }

  /** It is about to close its connection, which is a leave as well. */
  closes(line: number, pod: string): void {
    this.entries.push({ kind: 'leaving', at: this.#time(), line, pod });
  }

  /** Its connection is gone; a clean close is a leave. */
  cut(line: number, pod: string, isClean = false): void {
    if (this.state === 'out') return;
    this.state = 'out';
    this.entries.push({ kind: 'cut', at: this.#time(), line, pod, isClean });
  }

  #message(frame: Fields, at: At): void {
    const id = String(frame['id']);
    const earlier = frame['provisional_id'] as string | undefined;
    const { provisional, ephemeral } = frame;
    const isNew = !this.#seen.has(id) && !(earlier !== undefined && this.#seen.has(earlier));
    const sighting: Sighting = {
      kind: 'message',
      ...at,
      token: String((frame['data'] as Fields | undefined)?.['t']),
      id,
      provisional: provisional === true,
      ephemeral: ephemeral === true,
      provisionalId: earlier,
      isNew: isNew && !this.judgesItself,
      memory: this.#memory,
    };
    this.entries.push(sighting);
    if (ephemeral !== true && provisional !== true) this.position = id;
    if (ephemeral !== true) this.#seen.add(id);
    if (earlier !== undefined) this.#seen.add(earlier);
  }

  #presence(person: Person, at: At): void {
    this.view.changed(person);
    this.entries.push({ kind: 'presence', ...at, user: person.user_id, status: person.status });
  }

  #joined(data: Fields, at: At): void {
    const { position = '', recovered, reason, replayed = 0 } = data as Partial<JoinedEntry>;
    const isWorthless = recovered === false && reason !== 'unavailable';
    // A position moves by messages; where none follow, it begins where the history ends.
    if (replayed === 0 && position !== '' && (this.position === undefined || isWorthless))
      this.position = position;
    this.view = new View();
    this.view.replaced(data['members']);
    // A library says again by itself what it said before.
    if (!this.judgesItself) {
      this.hidden = false;
      this.said = undefined;
    }
    this.state = 'in';
    this.entries.push({ kind: 'joined', ...at, after: this.#asked, position, recovered, reason, replayed });
  }
}
