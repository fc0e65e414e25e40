import type { Seat } from './seat.ts';

/** One message that somebody wanted published, known by its token wherever it turns up. */
export interface Publication {
  readonly token: string;
  readonly room: string;
  /** `system` for what was published over HTTP. */
  readonly user: string;
  readonly ref: string | undefined;
  readonly ephemeral: boolean;
  readonly sends: { tick: number; by: string; pod: string }[];
  /** Ids that were answered as those it has. */
  readonly acks: { tick: number; id: string }[];
  readonly errors: { tick: number; code: string }[];
}

/** Everything that was done and seen in one run. All of it happens here in one process, so `tick` gives it one order. */
export class Story {
  readonly steps: string[] = [];
  readonly publications = new Map<string, Publication>();
  readonly seats: Seat[] = [];
  /** Set once Redis has lost messages: it came back empty, was emptied, or another took over. */
  losesData = false;
  #tick = 0;
  readonly #start = Date.now();

  tick(): number {
    this.#tick += 1;
    return this.#tick;
  }

  note(text: string): void {
    this.steps.push(`#${this.tick()} ${Date.now() - this.#start} ms: ${text}`);
  }

  publication(about: Pick<Publication, 'room' | 'user' | 'ref' | 'ephemeral'>): Publication {
    const token = `m${this.publications.size + 1}`;
    const publication: Publication = { ...about, token, sends: [], acks: [], errors: [] };
    this.publications.set(token, publication);
    return publication;
  }
}
