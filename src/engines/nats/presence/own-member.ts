import type { Occupant, PresenceChange, Statement } from '../../../core/ports/presence-store.ts';
import type { Member } from '../../../protocol/event.ts';
import type { VersionedRow } from './row.ts';

/** Which call of the store waits. */
export type Asked = 'enter' | 'state' | 'lose' | 'exit';

/** A member, and when the user last stated status or meta. */
export interface Known {
  readonly member: Member;
  readonly statedAt: number;
}

interface Waiter {
  readonly version: number;
  readonly asked: Asked;
  readonly resolve: (change: PresenceChange | undefined) => void;
  readonly reject: (error: Error) => void;
}

const NONE: readonly never[] = [];

/** A user of this pod in a room: the user's connections here, and what the row of this pod shall say. */
export class OwnMember {
  readonly room: string;
  readonly userId: string;
  readonly #nextVersion: () => number;
  #member: Member;
  #statedAt = 0;
  #connections: readonly string[] = NONE;
  /** The connections that were lost, the earliest first. They are in `#connections` too. */
  #lost: readonly { readonly connectionId: string; readonly at: number }[] = NONE;
  #came = 0;
  #version = 0;
  /** The version that is being written, if any. */
  inFlight: number | undefined;
  #waiters: readonly Waiter[] = NONE;

  /** `nextVersion` returns a larger number each time. */
  constructor(room: string, userId: string, nextVersion: () => number) {
    this.room = room;
    this.userId = userId;
    this.#nextVersion = nextVersion;
    this.#member = { userId, status: 'online', meta: '{}', updatedAt: 0 };
  }

  get version(): number {
    return this.#version;
  }

  get isGone(): boolean {
    return this.#connections.length === 0;
  }

  get statedAt(): number {
    return this.#statedAt;
  }

  get row(): VersionedRow {
    return {
      member: this.#member,
      statedAt: this.#statedAt,
      connections: this.#connections.length,
      came: this.#came,
      lost: this.#lost.map(({ at }) => at),
      version: this.#version,
    };
  }

  /** Takes over what the user stated later on another pod. */
  adopt({ member: { status, meta }, statedAt }: Known): void {
    if (statedAt <= this.#statedAt) return;
    this.#member = { ...this.#member, status, meta };
    this.#statedAt = statedAt;
    this.#version = this.#nextVersion();
  }

  /** A user who returns after leaving starts as online, without meta, also if other pods have not seen the leave. */
  resetStatement(statedAt: number): void {
    this.#member = { ...this.#member, status: 'online', meta: '{}' };
    this.#statedAt = statedAt;
  }

  /** `returns`: the connection replaces one that was lost, on this pod or else on another. */
  enter({ connectionId }: Occupant, seconds: number, returns: boolean): void {
    this.#changed(seconds);
    if (this.#connections.includes(connectionId)) return;
    if (returns && !this.replaceLost()) this.#came += 1;
    // A spread would reserve memory for many more entries.
    this.#connections = this.#connections.concat([connectionId]);
  }

  state(
    who: Occupant,
    { status, meta }: Statement,
    at: { readonly seconds: number; readonly statedAt: number },
    returns: boolean,
  ): void {
    this.enter(who, at.seconds, returns);
    this.#member = {
      ...this.#member,
      status: status ?? this.#member.status,
      meta: meta ?? this.#member.meta,
    };
    this.#statedAt = at.statedAt;
  }

  /** False: the connection is unknown. */
  lose({ connectionId }: Occupant, at: number): boolean {
    if (!this.#connections.includes(connectionId)) return false;
    const others = this.#lost.filter((one) => one.connectionId !== connectionId);
    this.#lost = [...others, { connectionId, at }];
    this.#version = this.#nextVersion();
    return true;
  }

  /** False: the connection is unknown. */
  exit({ connectionId }: Occupant, seconds: number): boolean {
    if (!this.#connections.includes(connectionId)) return false;
    this.#remove(connectionId);
    this.#changed(seconds);
    return true;
  }

  /** Removes the connection that was lost first: another one has replaced it. False: none was lost. */
  replaceLost(): boolean {
    const first = this.#lost[0];
    if (first === undefined) return false;
    this.#remove(first.connectionId);
    this.#version = this.#nextVersion();
    return true;
  }

  /** The row starts under another lease: its connections are all there, none has come. */
  startLease(): void {
    this.#came = 0;
    this.inFlight = undefined;
  }

  /** Resolves once the present version has been stored. */
  known(asked: Asked): Promise<PresenceChange | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiters = [...this.#waiters, { version: this.#version, asked, resolve, reject }];
    });
  }

  /**
   * A version has been stored, and made this change in the room. The first waiting call gets the change; calls of
   * `state` always get the member. Returns false if no call waited.
   */
  settle(version: number, change: PresenceChange | undefined, count: number): boolean {
    const settled = this.#waiters.filter((waiter) => waiter.version <= version);
    this.#waiters =
      settled.length === this.#waiters.length
        ? NONE
        : this.#waiters.filter((waiter) => waiter.version > version);
    const first = settled.find(({ asked }) => asked !== 'lose');
    for (const waiter of settled) {
      if (waiter === first && change !== undefined) waiter.resolve(change);
      else
        waiter.resolve(
          waiter.asked === 'state' ? { kind: 'update', member: this.#member, count } : undefined,
        );
    }
    return first !== undefined;
  }

  /** The row could not be written: rejects all waiting calls. */
  fail(error: Error): void {
    const failed = this.#waiters;
    this.#waiters = NONE;
    for (const { reject } of failed) reject(error);
  }

  #changed(seconds: number): void {
    this.#member = { ...this.#member, updatedAt: seconds };
    this.#version = this.#nextVersion();
  }

  #remove(connectionId: string): void {
    this.#connections = this.#connections.filter((other) => other !== connectionId);
    this.#lost = this.#lost.filter((one) => one.connectionId !== connectionId);
  }
}
