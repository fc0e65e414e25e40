import { ensureStream } from '../nats/streams.ts';
import type { Live } from '../nats/link.ts';
import type { NatsBackbone } from '../nats/backbone.ts';

export interface MarksOptions {
  readonly backbone: NatsBackbone;
  /** As long as a message is kept. */
  readonly ttlMs: number;
}

/**
 * Messages of the history that some pod's members had provisionally before they were known to be there, so that they do
 * not say so themselves. Each pod knows all of them: there are few, after outages.
 */
export class Marks {
  readonly #options: MarksOptions;
  /** When each was found, oldest first. */
  readonly #marks = new Map<string, number>();
  /** Up to where the stream was read. */
  #readTo = 0;

  constructor(options: MarksOptions) {
    this.#options = options;
    const { link, names } = options.backbone;
    link.prepare((live) => this.#readAll(live));
    link.listen(names.subject('marked', '*'), ({ subject }) => this.#add(subject));
  }

  has(epoch: string, seq: number): boolean {
    return this.#marks.has(tokenOf(epoch, seq));
  }

  /** Resolves once it is kept. Raises Away. */
  async add(epoch: string, seq: number): Promise<void> {
    const { link, names } = this.#options.backbone;
    const subject = names.subject('marks', tokenOf(epoch, seq));
    await link.call(({ js }) => js.publish(subject, ''));
    this.#add(subject);
  }

  async #readAll(live: Live): Promise<void> {
    const { names, replicas } = this.#options.backbone;
    const name = names.stream('marks');
    const { state } = await ensureStream(live, {
      name,
      subjects: [names.subject('marks', '*')],
      replicas,
      maxAgeMs: this.#options.ttlMs,
      perSubject: 1,
      republish: { src: names.subject('marks', '>'), dest: names.subject('marked', '>') },
    });
    if (state.last_seq < this.#readTo) this.#readTo = 0;
    while (this.#readTo < state.last_seq) {
      const query = { seq: this.#readTo + 1, next_by_subj: names.subject('marks', '*') };
      const found = await live.jsm.streams.getMessage(name, query);
      if (found !== null) this.#add(found.subject);
      this.#readTo = found?.seq ?? state.last_seq;
    }
  }

  #add(subject: string): void {
    const now = this.#options.backbone.link.now();
    for (const [token, at] of this.#marks) {
      if (at > now - this.#options.ttlMs) break;
      this.#marks.delete(token);
    }
    this.#marks.set(subject.slice(subject.lastIndexOf('.') + 1), now);
  }
}

function tokenOf(epoch: string, seq: number): string {
  return `${epoch}-${seq}`;
}
