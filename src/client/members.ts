import type { Member, Status } from './wire.ts';
import { fieldsOf } from './wire.ts';

/** The members of a room, as far as the server lists them. For a large room it sends a count and part of the list. */
export class Members {
  readonly #rows = new Map<string, Member>();
  #unlisted = 0;
  #list: readonly Member[] | undefined;

  /** The listed members: the same array until one joins, changes or leaves. */
  get list(): readonly Member[] {
    this.#list ??= [...this.#rows.values()];
    return this.#list;
  }

  /** All members, listed or not. */
  get count(): number {
    return this.#rows.size + this.#unlisted;
  }

  /** Takes over a new list from the server, which replaces the old one; without a list only the count changes. */
  replace(count: number, members: readonly Member[] | undefined): void {
    if (members !== undefined) {
      this.clear();
      for (const member of members) this.#rows.set(member.user_id, member);
    }
    this.#unlisted = Math.max(0, count - this.#rows.size);
  }

  clear(): void {
    this.#rows.clear();
    this.#unlisted = 0;
    this.#list = undefined;
  }

  /** Applies the data of a presence frame and returns the member; undefined if the data names no user. */
  apply(data: unknown): Member | undefined {
    const { user_id: user, status, meta } = fieldsOf(data);
    if (typeof user !== 'string') return undefined;
    const member: Member = { user_id: user, status: status as Status, meta };
    const isListed = status === 'offline' ? this.#rows.delete(user) : this.#rows.has(user);
    // Unless the frame looks like a join, an unlisted member left, or changed and is listed from now on.
    if (!isListed && !isNewcomer(member)) this.#unlisted = Math.max(0, this.#unlisted - 1);
    if (status !== 'offline') this.#rows.set(user, member);
    this.#list = undefined;
    return member;
  }
}

/** A member that has just joined is online and has no `meta` yet. */
function isNewcomer({ status, meta }: Member): boolean {
  return status === 'online' && Object.keys(fieldsOf(meta)).length === 0;
}
