import type { Member, Status } from './wire.ts';
import { fieldsOf } from './wire.ts';

/** Who is in a room, as far as the server tells: in a large room it sends a count and only a part of the list. */
export class Members {
  readonly #rows = new Map<string, Member>();
  #unlisted = 0;
  #list: readonly Member[] | undefined;

  /** The same array until somebody comes, changes or leaves. */
  get list(): readonly Member[] {
    this.#list ??= [...this.#rows.values()];
    return this.#list;
  }

  get count(): number {
    return this.#rows.size + this.#unlisted;
  }

  /** A list is whole: whoever came or went while nobody told is in it or not. Without one only the count is known. */
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

  /** Takes in the data of a presence frame; undefined if it is not about a member. */
  apply(data: unknown): Member | undefined {
    const { user_id: user, status, meta } = fieldsOf(data);
    if (typeof user !== 'string') return undefined;
    const member: Member = { user_id: user, status: status as Status, meta };
    const isListed = status === 'offline' ? this.#rows.delete(user) : this.#rows.has(user);
    // Of those that are not listed somebody has left, or says something: whoever comes has nothing to say yet.
    if (!isListed && !isNewcomer(member)) this.#unlisted = Math.max(0, this.#unlisted - 1);
    if (status !== 'offline') this.#rows.set(user, member);
    this.#list = undefined;
    return member;
  }
}

function isNewcomer({ status, meta }: Member): boolean {
  return status === 'online' && Object.keys(fieldsOf(meta)).length === 0;
}
