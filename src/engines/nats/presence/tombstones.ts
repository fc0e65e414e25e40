import { tombstoneSubject, tombstoneText, readEntry } from './row.ts';
import { isWrongSequence } from '../connection/answers.ts';
import type { LeaseName } from './union.ts';
import type { NatsBackbone } from '../connection/backbone.ts';

/** Writes tombstones: the rows under a dead pod's lease no longer count, on any pod. */
export class Tombstones {
  readonly #backbone: NatsBackbone;

  constructor(backbone: NatsBackbone) {
    this.#backbone = backbone;
  }

  /** Marks this lease and the earlier ones of its pod. Raises Unavailable. */
  async write(lease: LeaseName): Promise<void> {
    // Of several pods only one writes it, and that pod is the cause of the leaves.
    while (!(await this.#isWritten(lease))) await Promise.resolve();
  }

  /** Writes the tombstone unless it exists. False: another message was written meanwhile, try again. */
  async #isWritten(lease: LeaseName): Promise<boolean> {
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
