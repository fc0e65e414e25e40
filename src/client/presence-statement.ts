import type { Member, Status } from './wire.ts';

interface Said {
  readonly status: Status;
  readonly meta?: unknown;
}

/**
 * What this client last said of its user in a room. It is said again after a reconnect; but the latest statement counts,
 * of whichever device, so not once the room has shown it and then what another device of the user said after it.
 */
export class Statement {
  /** A copy, which the application cannot change any more. */
  #said: Said | undefined;
  #shown = false;
  #outdated = false;

  /** To be said, and to be said again; undefined: nothing was said, or another device has said something since. */
  get current(): Said | undefined {
    return this.#outdated ? undefined : this.#said;
  }

  say(status: Status, meta: object | undefined): void {
    this.forget();
    this.#said = JSON.parse(JSON.stringify({ status, meta })) as Said;
  }

  forget(): void {
    this.#said = undefined;
    this.#shown = this.#outdated = false;
  }

  /** This user has changed, as the room tells in the one order of all changes. */
  told({ status, meta }: Member): void {
    // `offline` hides the device that says so, and no other one.
    if (this.#said === undefined || this.#said.status === 'offline' || status === 'offline') return;
    const isThis =
      status === this.#said.status &&
      (this.#said.meta === undefined || textOf(meta) === textOf(this.#said.meta));
    this.#shown ||= isThis;
    this.#outdated = this.#shown && !isThis;
  }

  /** This user as a list has it: one who is just online may be so for the room knows nothing of what was said. */
  listed(row: Member): void {
    if (row.status !== 'online' || textOf(row.meta) !== '{}') this.told(row);
  }
}

function textOf(meta: unknown): string {
  return JSON.stringify(meta ?? {});
}
