/** A user in a list of who is present; other fields do not matter here. */
export interface Row {
  readonly user_id: string;
  readonly status: string;
  readonly meta: unknown;
}

/** Who is present in a room, as one who listens knows it. */
export class View {
  readonly #rows = new Map<string, Row>();

  /** A list was told: it is as that says. */
  replaced(list: unknown): void {
    if (!Array.isArray(list)) return;
    this.#rows.clear();
    for (const row of list as Row[]) this.#rows.set(row.user_id, row);
  }

  /** Somebody came, changed or went. */
  changed(row: Row): void {
    if (row.status === 'offline') this.#rows.delete(row.user_id);
    else this.#rows.set(row.user_id, row);
  }

  get users(): string[] {
    return [...this.#rows.keys()].sort();
  }

  row(user: string): Row | undefined {
    return this.#rows.get(user);
  }

  /** The same text for the same people. */
  toString(): string {
    return this.without();
  }

  /** The same without somebody who does not matter. */
  without(somebody?: string): string {
    return this.users
      .filter((user) => user !== somebody)
      .map((user) => {
        const row = this.#rows.get(user);
        return `${user} ${row?.status} ${JSON.stringify(row?.meta)}`;
      })
      .join(', ');
  }
}
