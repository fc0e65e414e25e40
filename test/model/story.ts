import type { Seat } from './seat.ts';

/** One message that somebody wanted published, known by its token wherever it turns up. */
export interface Publication {
  readonly token: string;
  readonly room: string;
  /** `system` for what was published over HTTP. */
  readonly user: string;
  readonly ref: string | undefined;
  readonly ephemeral: boolean;
  /** `line` is the number of the connection; 0 for HTTP. */
  readonly sends: { tick: number; by: string; pod: string; line: number }[];
  /** Ids that were answered as those it has. */
  readonly acks: { tick: number; id: string; pod: string }[];
  readonly errors: { tick: number; code: string }[];
}

/** When something was: its place in the one order of the run, and milliseconds since the run began. */
export interface Moment {
  readonly tick: number;
  readonly ms: number;
}

/**
 * What a fault may do at most, of all that the contract lets it. `data`: what was acked is gone, or history has gone
 * back. `keys`: an operator has deleted messages. `room`: and all
 * that was known of a room, its positions with it. `pods`: pods, or one, were away from the others, so that their users
 * may be announced as gone. `nothing`: no client may notice it.
 */
export type Effect = 'data' | 'keys' | 'room' | 'pods' | 'nothing';

export interface Trouble {
  readonly effect: Effect;
  /** The one pod that is concerned; undefined: all. */
  readonly pod: string | undefined;
  readonly since: Moment;
  /** Undefined while it lasts. */
  until: Moment | undefined;
}

/** Everything that was done and seen in one run. All of it happens here in one process, so `tick` gives it one order. */
export class Story {
  readonly steps: string[] = [];
  readonly publications = new Map<string, Publication>();
  readonly seats: Seat[] = [];
  readonly troubles: Trouble[] = [];
  /** Pods that were killed, and when. */
  readonly deaths: { readonly pod: string; readonly tick: number }[] = [];
  /** Errors that clients were told and that no fault permits. */
  readonly errors: string[] = [];
  #tick = 0;
  readonly #start = Date.now();

  tick(): number {
    this.#tick += 1;
    return this.#tick;
  }

  /** The present moment, which no other one shares. */
  now(): Moment {
    return { tick: this.tick(), ms: Date.now() - this.#start };
  }

  note(text: string): void {
    const { tick, ms } = this.now();
    this.steps.push(`#${tick} ${ms} ms: ${text}`);
  }

  /** Something breaks; to be called once it is mended. */
  fault(text: string, effect: Effect, pod?: string): (mended: string) => void {
    this.note(`FAULT ${text}`);
    const trouble: Trouble = { effect, pod, since: this.now(), until: undefined };
    this.troubles.push(trouble);
    return (mended) => {
      this.note(mended);
      trouble.until = this.now();
    };
  }

  publication(about: Pick<Publication, 'room' | 'user' | 'ref' | 'ephemeral'>): Publication {
    const token = `m${this.publications.size + 1}`;
    const publication: Publication = { ...about, token, sends: [], acks: [], errors: [] };
    this.publications.set(token, publication);
    return publication;
  }
}
