/** One attempt to publish something, and what became of it. */
export interface Attempt {
  readonly at: number;
  readonly client: string;
  readonly pod: string;
}

/** Something that clients have published, perhaps several times with one ref. */
export interface Publication {
  /** In its data, so that it is known wherever it comes. */
  readonly token: string;
  readonly room: string;
  readonly user: string;
  readonly ref: string | undefined;
  readonly ephemeral: boolean;
  readonly attempts: Attempt[];
  readonly acks: { readonly at: number; readonly id: string; readonly pod: string }[];
  readonly errors: { readonly at: number; readonly code: string }[];
}

/** All that was published in a run. */
export class Ledger {
  readonly publications = new Map<string, Publication>();
  #count = 0;

  publish(given: Pick<Publication, 'room' | 'user' | 'ref' | 'ephemeral'>): Publication {
    const token = `m${(this.#count += 1)}`;
    const publication: Publication = { token, ...given, attempts: [], acks: [], errors: [] };
    this.publications.set(token, publication);
    return publication;
  }

  of(user: string): Publication[] {
    return [...this.publications.values()].filter((one) => one.user === user);
  }
}
