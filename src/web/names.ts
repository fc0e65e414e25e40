import { isUserId, SYSTEM } from '../protocol/names.ts';
import type { Guest } from './guest-login.ts';

/** How people are called on the page: guests without what the server puts before their names. */
export class Names {
  readonly #prefix: string;

  /** What stands before the name of one guest stands before that of each. */
  constructor({ name, userId }: Pick<Guest, 'name' | 'userId'>) {
    this.#prefix = userId.endsWith(name) ? userId.slice(0, -name.length) : '';
  }

  /** Whoever calls themselves `system` is shown with all of their user id: they must not pass for the server. */
  of(userId: string): string {
    if (!userId.startsWith(this.#prefix)) return userId;
    const name = userId.slice(this.#prefix.length);
    return isUserId(name) ? name : userId;
  }

  /** Told of users, so that no guest who takes the name of one passes for them; empty for everybody else. */
  noteOn(userId: string): string {
    return userId === SYSTEM || userId.startsWith(this.#prefix) ? '' : 'signed in';
  }
}
