import type { Page, Published, PublishOptions, ReadFrom, Stored } from '../../src/core/ports/broker.ts';
import {
  comparePositions,
  formatPosition,
  parsePosition,
  type Position,
  roomTag,
} from '../../src/protocol/position.ts';
import type { Clock } from '../../src/core/ports/clock.ts';
import type { DatabaseSync } from 'node:sqlite';
import type { Missing } from '../../src/protocol/event.ts';
import { randomBytes } from 'node:crypto';

const DAY_MS = 86_400_000;
const CLAIM_MS = 300_000;
/** Messages of other pods are read in pages of this size. */
const PAGE = 500;

interface Options {
  readonly historySize: number;
  readonly historyTtlMs: number;
  readonly clock: Clock;
}

interface Room {
  /** The position that the room had while it was empty. */
  readonly floor: string;
  /** The last position that was removed. */
  readonly trimmed: string;
  readonly newest: string;
  /** Positions older than this moment cannot be judged. */
  readonly since: number;
}

/** The histories of all rooms in one file. Each change is one transaction, so that pods see all of it or nothing. */
export class SqliteHistory {
  readonly #database: DatabaseSync;
  readonly #options: Options;
  readonly #epoch: string;

  constructor(database: DatabaseSync, options: Options) {
    this.#database = database;
    this.#options = options;
    database.exec(`
      CREATE TABLE IF NOT EXISTS history (epoch);
      CREATE TABLE IF NOT EXISTS room (name PRIMARY KEY, floor, trimmed, newest, since, used);
      CREATE TABLE IF NOT EXISTS message (seq INTEGER PRIMARY KEY AUTOINCREMENT, room, id, prev, body, trace, at);
      CREATE INDEX IF NOT EXISTS message_of_room ON message (room, seq);
      CREATE TABLE IF NOT EXISTS claim (name PRIMARY KEY, id, until);`);
    // The epoch names this file, so that positions of a lost file are recognized.
    const epoch = randomBytes(6).toString('hex');
    database.prepare('INSERT INTO history SELECT ? WHERE NOT EXISTS (SELECT 1 FROM history)').run(epoch);
    this.#epoch = String(database.prepare('SELECT epoch FROM history').get()?.['epoch']);
  }

  append(room: string, body: string, { key, trace = '' }: PublishOptions): Published {
    return this.#atOnce(() => {
      const claim = `${room}\n${key}`;
      const first = key === undefined ? undefined : this.#claimed(claim);
      if (first !== undefined) return { id: first, duplicate: true };
      const prev = this.#roomOf(room).newest;
      const id = formatPosition(this.#next(room, prev));
      const { historySize } = this.#options;
      this.#run(
        'INSERT INTO message (room, id, prev, body, trace, at) VALUES (?, ?, ?, ?, ?, ?)',
        room,
        id,
        prev,
        body,
        trace,
        this.#now,
      );
      this.#run('UPDATE room SET newest = ?, used = ? WHERE name = ?', id, this.#now, room);
      const beyond = this.#get(
        'SELECT seq, id FROM message WHERE room = ? ORDER BY seq DESC LIMIT 1 OFFSET ?',
        room,
        historySize,
      );
      if (beyond !== undefined) this.#trim(room, Number(beyond['seq']), String(beyond['id']));
      if (key !== undefined) this.#keepClaim(claim, id);
      return { id, duplicate: false };
    });
  }

  /** The next position: later than the one before it, even if a clock was set back. */
  #next(room: string, prev: string): Position {
    const { ms, seq } = parsePosition(prev) ?? { ms: 0, seq: 0 };
    const isLater = this.#now > ms;
    return {
      epoch: this.#epoch,
      tag: roomTag(room),
      ms: isLater ? this.#now : ms,
      seq: isLater ? 1 : seq + 1,
    };
  }

  read(room: string, from: ReadFrom, limit: number): Page {
    return this.#atOnce(() => {
      this.#expire();
      const kept = this.#roomOf(room);
      if ('newest' in from) return this.#page(kept, this.#newest(room, from.newest), limit);
      const all = this.#newest(room, -1);
      if ('since' in from) {
        const trimmed = parsePosition(kept.trimmed);
        const isCut = kept.trimmed !== kept.floor && trimmed !== undefined && trimmed.ms >= from.since;
        const since = all.filter(({ id }) => (parsePosition(id)?.ms ?? 0) >= from.since);
        return this.#page(kept, since, limit, isCut ? 'trimmed' : undefined);
      }
      const missing = this.#missingAfter(room, kept, from.after, all);
      if (missing !== undefined) return this.#page(kept, all, limit, missing);
      const first = all.findIndex(({ prev }) => prev === from.after);
      return this.#page(kept, first === -1 ? [] : all.slice(first), limit);
    });
  }

  /** Why messages after a position are missing; the port explains each reason. */
  #missingAfter(room: string, kept: Room, after: string, all: readonly Stored[]): Missing | undefined {
    const position = parsePosition(after);
    const newest = parsePosition(kept.newest);
    const trimmed = parsePosition(kept.trimmed);
    if (position === undefined || newest === undefined || trimmed === undefined) return 'unknown_position';
    if (position.epoch !== this.#epoch) return 'history_lost';
    if (position.tag !== roomTag(room) || comparePositions(position, newest) > 0) return 'unknown_position';
    if (after === kept.newest || all.some(({ prev }) => prev === after)) return undefined;
    if (position.ms < kept.since) return 'expired';
    return comparePositions(position, trimmed) < 0 ? 'trimmed' : 'unknown_position';
  }

  newest(room: string): string {
    return this.#roomOf(room).newest;
  }

  /** The messages of all rooms after a number, in order. */
  *since(seq: number): Generator<{ seq: number; room: string; stored: Stored }> {
    for (let after = seq; ;) {
      const rows = this.#all('SELECT * FROM message WHERE seq > ? ORDER BY seq LIMIT ?', after, PAGE);
      for (const row of rows) {
        after = Number(row['seq']);
        yield { seq: after, room: String(row['room']), stored: storedOf(row) };
      }
      if (rows.length < PAGE) return;
    }
  }

  /** Returns the first id claimed under the name within five minutes. */
  claim(name: string, id: string): string {
    return this.#atOnce(() => {
      const first = this.#claimed(name);
      if (first === undefined) this.#keepClaim(name, id);
      return first ?? id;
    });
  }

  /** Records that the room is in use, so that its newest position is not forgotten. */
  use(room: string): void {
    this.#atOnce(() => {
      this.#roomOf(room);
      this.#run('UPDATE room SET used = ? WHERE name = ?', this.#now, room);
    });
  }

  get #now(): number {
    return this.#options.clock.now();
  }

  #claimed(name: string): string | undefined {
    this.#run('DELETE FROM claim WHERE until <= ?', this.#now);
    return this.#get('SELECT id FROM claim WHERE name = ?', name)?.['id']?.toString();
  }

  #keepClaim(name: string, id: string): void {
    this.#run('INSERT INTO claim VALUES (?, ?, ?)', name, id, this.#now + CLAIM_MS);
  }

  #roomOf(room: string): Room {
    const row = this.#get('SELECT floor, trimmed, newest, since FROM room WHERE name = ?', room);
    if (row !== undefined) return row as unknown as Room;
    const floor = formatPosition({ epoch: this.#epoch, tag: roomTag(room), ms: this.#now, seq: 0 });
    const since = this.#now - DAY_MS;
    this.#run('INSERT INTO room VALUES (?, ?, ?, ?, ?, ?)', room, floor, floor, floor, since, this.#now);
    return { floor, trimmed: floor, newest: floor, since };
  }

  #newest(room: string, most: number): Stored[] {
    const rows = this.#all('SELECT * FROM message WHERE room = ? ORDER BY seq DESC LIMIT ?', room, most);
    return rows.map(storedOf).toReversed();
  }

  #page({ newest }: Room, all: readonly Stored[], limit: number, missing?: Missing): Page {
    const messages = all.slice(0, limit);
    const more = messages.length < all.length;
    return { messages, more, missing, position: more ? (messages.at(-1)?.id ?? newest) : newest };
  }

  /** Removes expired messages, and a day later what is known about unused rooms. */
  #expire(): void {
    const { historyTtlMs } = this.#options;
    const gone = this.#all(
      'SELECT room, max(seq) AS seq, id FROM message WHERE at <= ? GROUP BY room',
      this.#now - historyTtlMs,
    );
    for (const { room, seq, id } of gone) this.#trim(String(room), Number(seq), String(id));
    this.#run('DELETE FROM room WHERE used < ?', this.#now - historyTtlMs - DAY_MS);
  }

  #trim(room: string, seq: number, id: string): void {
    this.#run('DELETE FROM message WHERE room = ? AND seq <= ?', room, seq);
    this.#run('UPDATE room SET trimmed = ? WHERE name = ?', id, room);
  }

  #atOnce<Result>(work: () => Result): Result {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  #run(sql: string, ...values: (string | number)[]): void {
    this.#database.prepare(sql).run(...values);
  }

  #get(sql: string, ...values: (string | number)[]): Row | undefined {
    return this.#database.prepare(sql).get(...values) as Row | undefined;
  }

  #all(sql: string, ...values: (string | number)[]): Row[] {
    return this.#database.prepare(sql).all(...values) as Row[];
  }
}

/** The columns hold only numbers and texts. */
type Row = Record<string, number | string>;

function storedOf({ id, prev, body, trace }: Row): Stored {
  return {
    id: String(id),
    prev: String(prev),
    body: String(body),
    trace: trace === '' ? undefined : String(trace),
  };
}
