/** A user in a list of who is present. */
export interface Person {
  readonly user_id: string;
  readonly status: string;
  readonly meta?: unknown;
}

/** Who is present in a room, as one who listens knows it. */
export class View {
  readonly #people = new Map<string, Person>();

  /** A list was told: it is as that says. */
  replaced(list: unknown): void {
    if (!Array.isArray(list)) return;
    this.#people.clear();
    for (const person of list as Person[]) this.#people.set(person.user_id, person);
  }

  /** Somebody came, changed or went. */
  changed(person: Person): void {
    if (person.status === 'offline') this.#people.delete(person.user_id);
    else this.#people.set(person.user_id, person);
  }

  get users(): string[] {
    return [...this.#people.keys()].sort();
  }

  person(user: string): Person | undefined {
    return this.#people.get(user);
  }

  /** The same text for the same people. */
  toString(): string {
    return this.users.map((user) => describe(this.#people.get(user))).join(', ');
  }
}

function describe(person: Person | undefined): string {
  return `${person?.user_id} ${person?.status} ${JSON.stringify(person?.meta ?? {})}`;
}
