import { isWrongSequence } from '../connection/answers.ts';
import { CLAIM_MS } from '../../shared/terms.ts';
import { ensureStream } from '../connection/streams.ts';
import type { NatsBackbone } from '../connection/backbone.ts';

/** The first id claimed under each key, on all pods. */
export class NatsClaims {
  readonly #backbone: NatsBackbone;

  constructor(backbone: NatsBackbone) {
    this.#backbone = backbone;
    const { link, names, pod, replicas } = backbone;
    const plan = {
      name: names.stream('claims'),
      subjects: [names.subject('claims', '*')],
      replicas,
      maxAgeMs: CLAIM_MS,
      perSubject: 1,
    };
    link.prepare(async (live) => {
      await ensureStream(live, plan);
      // It also stores a message: a server whose disk is full answers requests, but stores nothing.
      await link.time.learn(live.js, live.jsm, names.subject('claims', `greeting-${pod}`));
    });
  }

  /** The first id claimed under the name within five minutes: `id`, if there was none. Raises Unavailable. */
  async claim(name: string, id: string): Promise<string> {
    const { link, names } = this.#backbone;
    const subject = names.subject('claims', name);
    try {
      const expect = { lastSubjectSequence: 0 };
      await link.call(({ js }) => js.publish(subject, id, { expect }));
      return id;
    } catch (error) {
      if (!isWrongSequence(error)) throw error;
    }
    // Undefined: the claim has expired since.
    return (await this.first(name)) ?? id;
  }

  /** The id claimed under the name within five minutes, if any. Raises Unavailable. */
  async first(name: string): Promise<string | undefined> {
    const { link, names } = this.#backbone;
    const query = { last_by_subj: names.subject('claims', name) };
    const found = await link.call(({ jsm }) => jsm.streams.getMessage(names.stream('claims'), query));
    return found?.string();
  }

  /** Stores the id under the name, without waiting for the answer. Raises Unavailable. */
  note(name: string, id: string): void {
    const { link, names } = this.#backbone;
    link.publish(names.subject('claims', name), id);
  }
}
