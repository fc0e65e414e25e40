import { Refused } from '../../core/base/refused.ts';

/** For a promise whose failure shows elsewhere: in the state of a connection, which goes on by itself. */
export function ignored(): void {}

/** What the pods share cannot be reached, does not answer, or does not take writes. */
export class Away extends Refused {
  /** `message` says what is away and why. */
  constructor(message: string) {
    super('unavailable');
    this.message = message;
  }
}
