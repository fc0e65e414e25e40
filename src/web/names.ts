import { isUserId, SYSTEM } from '../protocol/names.ts';
import type { Guest } from './guest-login.ts';

/** The names of users as the page shows them: guests without the prefix that the server adds. */
export class Names {
  readonly #prefix: string;

  /** Every guest has the same prefix, so this guest's name and user id show it. */
  constructor({ name, userId }: Pick<Guest, 'name' | 'userId'>) {
    this.#prefix = userId.endsWith(name) ? userId.slice(0, -name.length) : '';
  }

  /** A guest named `system` is shown with the whole user id, and so is not mistaken for the server. */
  of(userId: string): string {
    if (!userId.startsWith(this.#prefix)) return userId;
    const name = userId.slice(this.#prefix.length);
    return isUserId(name) ? name : userId;
  }

  /** `signed in` for a user with an account, so that a guest of the same name is not mistaken for that user. */
  noteOn(userId: string): string {
    return userId === SYSTEM || userId.startsWith(this.#prefix) ? '' : 'signed in';
  }
}
