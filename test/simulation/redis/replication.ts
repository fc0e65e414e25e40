import type { Dump } from './data.ts';

/** What reaches a replica whole or not at all: one command, or all changes of one script. */
type Unit = readonly (readonly string[])[];

export interface ReplicationOptions {
  readonly dump: () => Dump;
  readonly load: (dump: Dump) => void;
  /** Does what the master did. */
  readonly obey: (words: readonly string[]) => void;
}

/** What goes from a master to its replicas: changes in their order, each replica with a queue of what is on its way. */
export class Replication {
  readonly #options: ReplicationOptions;
  readonly #replicas = new Set<Replication>();
  #master: Replication | undefined;
  #changes: (readonly string[])[] = [];
  #queue: Unit[] = [];
  #isCopied = false;
  /** Units that were made here, or came from the master. */
  offset = 0;

  constructor(options: ReplicationOptions) {
    this.#options = options;
  }

  get replicas(): ReadonlySet<Replication> {
    return this.#replicas;
  }

  /** It has had a copy of everything, and the connection to its master since. */
  get isCopied(): boolean {
    return this.#isCopied;
  }

  get lag(): number {
    return this.#queue.length + Number(this.#master !== undefined && !this.#isCopied);
  }

  changed(words: readonly string[]): void {
    this.#changes.push(words);
  }

  /** What has changed since the last call goes to the replicas as one unit. */
  send(): void {
    if (this.#changes.length === 0) return;
    const unit = this.#changes;
    this.#changes = [];
    this.offset += 1;
    for (const replica of this.#replicas) if (replica.#isCopied) replica.#queue.push(unit);
  }

  follow(master: Replication | undefined): void {
    if (this.#master !== undefined) this.#master.#replicas.delete(this);
    if (master !== undefined) master.#replicas.add(this);
    this.#master = master;
    this.forget();
  }

  /** The connection to the master is lost, and with it what was on its way; another copy is needed. */
  forget(): void {
    this.#queue = [];
    this.#isCopied = false;
  }

  catchUp(units: number): void {
    const master = this.#master;
    if (master === undefined || units <= 0) return;
    let left = units;
    if (!this.#isCopied) {
      this.#options.load(master.#options.dump());
      this.offset = master.offset;
      this.#isCopied = true;
      left -= 1;
      // Its own replicas have what it had before.
      for (const replica of this.#replicas) replica.forget();
    }
    const arrived = this.#queue.splice(0, left);
    for (const unit of arrived) {
      for (const words of unit) this.#options.obey(words);
      this.send();
    }
  }
}
