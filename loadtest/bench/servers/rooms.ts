/** Who is in which room; a room is what a client named in the path of its handshake. */
export class Rooms<Member> {
  readonly #members = new Map<string, Set<Member>>();

  /** True for the first one in it. */
  add(room: string, member: Member): boolean {
    const members = this.#members.get(room);
    if (members === undefined) this.#members.set(room, new Set([member]));
    else members.add(member);
    return members === undefined;
  }

  remove(room: string, member: Member): void {
    this.#members.get(room)?.delete(member);
  }

  in(room: string): Iterable<Member> {
    return this.#members.get(room) ?? [];
  }
}

export function roomOfPath(url: string | undefined): string {
  return url?.slice(1) ?? '';
}
