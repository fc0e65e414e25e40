import type { Occupant, PresenceChange, Statement } from '../../../core/ports/presence-store.ts';
import type { Member } from '../../../protocol/event.ts';
import type { VersionedRow } from './row.ts';

/** What was asked of a store. */
export type Asked = 'enter' | 'state' | 'lose' | 'exit';

/** How a user is who is there, and when it last said so. */
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

/** A user in a room as this pod wants it to be known: its connections here, and what it said. */
export class OwnMember {
  readonly room: string;
  readonly userId: string;
  readonly #nextVersion: () => number;
  #member: Member;
  #statedAt = 0;
  #connections: readonly string[] = NONE;
  /** Those of them that were lost, the earliest first. */
  #lost: readonly { readonly connectionId: string; readonly at: number }[] = NONE;
  #came = 0;
  #version = 0;
  /** The version that is being written; undefined: none is. */
  inFlight: number | undefined;
  #waiters: readonly Waiter[] = NONE;

  /** `nextVersion`: a larger one each time. */
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

  /** Takes over what the user said elsewhere since. */
  adopt({ member: { status, meta }, statedAt }: Known): void {
    if (statedAt <= this.#statedAt) return;
    this.#member = { ...this.#member, status, meta };
    this.#statedAt = statedAt;
    this.#version = this.#nextVersion();
  }

  /** Whoever comes back after leaving starts anew, also where others have not heard of the leaving. */
  resetStatement(statedAt: number): void {
    this.#member = { ...this.#member, status: 'online', meta: '{}' };
    this.#statedAt = statedAt;
  }

  /** `returns`: it takes the place of one that was lost, here or else on another pod. */
  enter({ connectionId }: Occupant, seconds: number, returns: boolean): void {
    this.#changed(seconds);
    if (this.#connections.includes(connectionId)) return;
    if (returns && !this.giveUp()) this.#came += 1;
    // Spread, an array keeps room for many more.
    this.#connections = this.#connections.concat([connectionId]);
  }

  /** `at`: in seconds, and the moment of the statement. */
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

  /** False: it is not there. */
  lose({ connectionId }: Occupant, at: number): boolean {
    if (!this.#connections.includes(connectionId)) return false;
    const others = this.#lost.filter((one) => one.connectionId !== connectionId);
    this.#lost = [...others, { connectionId, at }];
    this.#version = this.#nextVersion();
    return true;
  }

  /** False: it is not there. */
  exit({ connectionId }: Occupant, seconds: number): boolean {
    if (!this.#connections.includes(connectionId)) return false;
    this.#remove(connectionId);
    this.#changed(seconds);
    return true;
  }

  /** The connection that was lost first is back, as another one. False: none was lost. */
  giveUp(): boolean {
    const first = this.#lost[0];
    if (first === undefined) return false;
    this.#remove(first.connectionId);
    this.#version = this.#nextVersion();
    return true;
  }

  /** Under another lease: nobody has come, all are there. */
  startLease(): void {
    this.#came = 0;
    this.inFlight = undefined;
  }

  /** Resolves once others know of it as it is now. */
  known(asked: Asked): Promise<PresenceChange | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiters = [...this.#waiters, { version: this.#version, asked, resolve, reject }];
    });
  }

  /**
   * A version is known, which changed something for others. False: nobody waited for that. Of several who did the
   * first is told; who stated something is told what came of it in any case.
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

  /** What could not be written. */
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
