import type { Joined, Member, Status } from './wire.ts';
import { fieldsOf } from './wire.ts';

/** Who is in a room, as far as the server tells: in a large room it sends a count and only a part of the list. */
export class Members {
  readonly #rows = new Map<string, Member>();
  #unlisted = 0;

  get list(): Member[] {
    return [...this.#rows.values()];
  }

  get count(): number {
    return this.#rows.size + this.#unlisted;
  }

  /** What `joined` says replaces everything: whoever came or went while the line was down is in it or not. */
  replace(joined: Joined): void {
    this.#rows.clear();
    for (const member of joined.members ?? []) this.#rows.set(member.user_id, member);
    this.recount(joined.count);
  }

  recount(count: number): void {
    this.#unlisted = Math.max(0, count - this.#rows.size);
  }

  clear(): void {
    this.#rows.clear();
    this.#unlisted = 0;
  }

  /** Takes in the data of a presence frame; undefined if it is not about a member. */
  apply(data: unknown): Member | undefined {
    const { user_id: user, status, meta } = fieldsOf(data);
    if (typeof user !== 'string') return undefined;
    const member: Member = { user_id: user, status: status as Status, meta };
    if (status === 'offline') this.#rows.delete(user);
    else this.#rows.set(user, member);
    return member;
  }
}
