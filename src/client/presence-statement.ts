import type { Member, Status } from './wire.ts';

interface Stated {
  readonly status: Status;
  readonly meta?: unknown;
}

/**
 * The presence that this client last set for its user in a room. The client sends it again after a reconnect, unless
 * another device of the user has set another presence since: the room shows the latest one of any device.
 */
export class PresenceStatement {
  /** A copy, so that the application cannot change it later. */
  #stated: Stated | undefined;
  /** Whether the room has shown this presence. */
  #shown = false;
  #outdated = false;

  /** What to send after a reconnect; undefined if nothing was set, or another device has set something since. */
  get current(): Stated | undefined {
    return this.#outdated ? undefined : this.#stated;
  }

  set(status: Status, meta: object | undefined): void {
    this.clear();
    this.#stated = JSON.parse(JSON.stringify({ status, meta })) as Stated;
  }

  clear(): void {
    this.#stated = undefined;
    this.#shown = this.#outdated = false;
  }

  /** The room has shown a presence of this user. Changes come in the same order to every client. */
  changed({ status, meta }: Member): void {
    // `offline` hides only the device that set it.
    if (this.#stated === undefined || this.#stated.status === 'offline' || status === 'offline') return;
    const isThis =
      status === this.#stated.status &&
      (this.#stated.meta === undefined || textOf(meta) === textOf(this.#stated.meta));
    this.#shown ||= isThis;
    this.#outdated = this.#shown && !isThis;
  }

  /** A member list has shown this user. Online without `meta` may mean that the room knows no presence of the user. */
  listed(row: Member): void {
    if (row.status !== 'online' || textOf(row.meta) !== '{}') this.changed(row);
  }
}

function textOf(meta: unknown): string {
  return JSON.stringify(meta ?? {});
}
