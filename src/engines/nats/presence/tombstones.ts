import { tombstoneSubject, tombstoneText, readEntry } from './row.ts';
import { isWrongSequence } from '../connection/answers.ts';
import type { LeaseName } from './union.ts';
import type { NatsBackbone } from '../connection/backbone.ts';

/** The ends of leases, as they are written for all pods. */
export class Tombstones {
  readonly #backbone: NatsBackbone;

  constructor(backbone: NatsBackbone) {
    this.#backbone = backbone;
  }

  /** Nothing counts any more that stands under this lease or an earlier one of its pod. Raises Unavailable. */
  async write(lease: LeaseName): Promise<void> {
    // Of several who would write it one does: the one who has caused what comes of it.
    while (!(await this.#isEnded(lease))) await Promise.resolve();
  }

  /** Writes that it has ended, unless that stands there; false: something else was written meanwhile. */
  async #isEnded(lease: LeaseName): Promise<boolean> {
    const { link, names, pod } = this.#backbone;
    const subject = tombstoneSubject(names, lease);
    const query = { last_by_subj: subject };
    const last = await link.call(({ jsm }) => jsm.streams.getMessage(names.stream('presence'), query));
    const entry = last === null ? undefined : readEntry(subject, last.data);
    if (entry?.kind === 'end' && entry.lease.generation >= lease.generation) return true;
    const expect = { lastSubjectSequence: last?.seq ?? 0 };
    const at = Math.floor(link.now() / 1_000);
    try {
      await link.call(({ js }) => js.publish(subject, tombstoneText(lease, at, pod), { expect }));
      return true;
    } catch (error) {
      if (isWrongSequence(error)) return false;
      throw error;
    }
  }
}
