import type {
  Broker,
  Fleeting,
  Note,
  Page,
  Published,
  PublishOptions,
  ReadFrom,
  Receiver,
} from '../../src/core/ports/broker.ts';
import { SqliteHistory } from './sqlite-history.ts';
import { DatabaseSync } from 'node:sqlite';
import { type FSWatcher, watch } from 'node:fs';
import { every } from '../../src/core/base/every.ts';
import { ignored } from '../../src/engines/shared/ignored.ts';
import { Unavailable } from '../../src/engines/shared/unavailable.ts';
import type { Clock } from '../../src/core/ports/clock.ts';

/** How long a write may block the event loop while another pod holds the lock; transactions are much shorter. */
const LOCKED_MS = 200;
/** How long the pod waits before it tries an unusable file again. */
const RETRY_MS = 200;
/** How often the pod records that its rooms are in use, so that no pod forgets them. */
const USE_MS = 3_600_000;

export interface SqliteBrokerOptions {
  /** The file that all pods of this machine share. */
  readonly file: string;
  /** Unique among the pods. */
  readonly pod: string;
  readonly historySize: number;
  readonly historyTtlMs: number;
  readonly clock: Clock;
}

/** Connects several pods on one machine: all of them write into one SQLite file and watch it for changes. */
export class SqliteBroker implements Broker {
  readonly #options: SqliteBrokerOptions;
  readonly #database: DatabaseSync;
  readonly #history: SqliteHistory;
  readonly #rooms = new Set<string>();
  #receiver: Receiver | undefined;
  #watcher: FSWatcher | undefined;
  #stopUsing: () => void = ignored;
  #available = true;
  /** The numbers of the last message and the last note that this pod received. */
  #message = 0;
  #note = 0;

  constructor(options: SqliteBrokerOptions) {
    this.#options = options;
    this.#database = new DatabaseSync(options.file);
    this.#database.exec(`
      PRAGMA busy_timeout = ${LOCKED_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
      CREATE TABLE IF NOT EXISTS note (seq INTEGER PRIMARY KEY AUTOINCREMENT, origin, room, text, at);`);
    this.#history = new SqliteHistory(this.#database, options);
  }

  get available(): boolean {
    return this.#available;
  }

  reaches(): boolean {
    return this.#available;
  }

  now(): number {
    return this.#options.clock.now();
  }

  start(receiver: Receiver): Promise<void> {
    this.#receiver = receiver;
    this.#message = this.#last('message');
    this.#note = this.#last('note');
    this.#watcher = watch(`${this.#options.file}-wal`, () => {
      this.#use(() => this.#receive()).catch(ignored);
    });
    this.#stopUsing = every(this.#options.clock, USE_MS, () => this.#useRooms());
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#watcher?.close();
    this.#stopUsing();
    this.#receiver = undefined;
    this.#database.close();
    return Promise.resolve();
  }

  publish(room: string, body: string, { key, trace }: PublishOptions = {}): Promise<Published> {
    return this.#use(() => {
      const published = this.#history.append(room, body, { key, trace });
      // The members on this pod get it the same way as all others, in the one order of the file.
      this.#receive();
      return published;
    });
  }

  #receive(): void {
    const receiver = this.#receiver;
    if (receiver === undefined) return;
    for (const { seq, room, stored } of this.#history.since(this.#message)) {
      this.#message = seq;
      if (this.#rooms.has(room)) receiver.message(room, stored);
    }
    this.#receiveNotes(receiver);
  }

  tell(room: string, message: Fleeting): Promise<void> {
    return this.#write(room, message);
  }

  tellAll(note: Note): Promise<void> {
    return this.#write('', note);
  }

  claim(room: string, key: string, id: string): Promise<string> {
    return this.#use(() => this.#history.claim(`${room}\n${key}`, id));
  }

  subscribe(room: string): Promise<void> {
    this.#rooms.add(room);
    return this.#use(() => this.#history.use(room));
  }

  unsubscribe(room: string): void {
    this.#rooms.delete(room);
  }

  read(room: string, from: ReadFrom, limit: number): Promise<Page> {
    return this.#use(() => this.#history.read(room, from, limit));
  }

  /** Does the work now. Raises Unavailable if the file cannot be used; then nothing was done. */
  async #use<Result>(work: () => Result): Promise<Result> {
    if (!this.#available) throw new Unavailable('the file cannot be used');
    try {
      return work();
    } catch (error) {
      if (!isOfFile(error)) throw error;
      this.#lose();
      throw new Unavailable(`the file cannot be used: ${error.message}`);
    }
  }

  #lose(): void {
    this.#available = false;
    this.#options.clock.after(RETRY_MS, () => this.#comeBack());
  }

  /** The order matters: first the rooms are in use again, then calls succeed, then each room reads what it missed. */
  #comeBack(): void {
    const receiver = this.#receiver;
    if (receiver === undefined) return;
    try {
      for (const room of this.#rooms) this.#history.use(room);
      this.#available = true;
      this.#receive();
      for (const room of this.#rooms) receiver.newest(room, this.#history.newest(room));
    } catch (error) {
      if (!isOfFile(error)) throw error;
      this.#lose();
    }
  }

  #write(room: string, what: Fleeting | Note): Promise<void> {
    const { clock, historyTtlMs, pod } = this.#options;
    const now = clock.now();
    return this.#use(() => {
      this.#database.prepare('DELETE FROM note WHERE at < ?').run(now - historyTtlMs);
      this.#database
        .prepare('INSERT INTO note (origin, room, text, at) VALUES (?, ?, ?, ?)')
        .run(pod, room, JSON.stringify(what), now);
    });
  }

  #receiveNotes(receiver: Receiver): void {
    const notes = this.#database.prepare('SELECT * FROM note WHERE seq > ? ORDER BY seq').all(this.#note);
    for (const { seq, origin, room, text } of notes) {
      this.#note = Number(seq);
      if (origin === this.#options.pod) continue;
      const what = JSON.parse(String(text)) as Fleeting | Note;
      if ('id' in what && !this.#isFirst(String(room), what)) continue;
      if ('kind' in what) receiver.note(what);
      else if (this.#rooms.has(String(room))) receiver.fleeting(String(room), what);
    }
  }

  /** Notes with a key were claimed in a room named after their kind. */
  #isFirst(room: string, { id, key, kind }: Fleeting & { kind?: string }): boolean {
    return key === undefined || this.#history.claim(`${room || `@${kind}`}\n${key}`, id) === id;
  }

  #last(table: 'message' | 'note'): number {
    const row = this.#database.prepare('SELECT seq FROM sqlite_sequence WHERE name = ?').get(table);
    return Number(row?.['seq'] ?? 0);
  }

  #useRooms(): Promise<void> {
    return this.#use(() => {
      for (const room of this.#rooms) this.#history.use(room);
    }).catch(ignored);
  }
}

/** The file is locked, the disk is full, …: this passes, or needs an operator. */
function isOfFile(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR';
}
