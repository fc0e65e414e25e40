import { Refused } from '../../core/base/refused.ts';

/** Redis or NATS cannot be reached, does not answer in time, or takes no writes. */
export class Unavailable extends Refused {
  /** `message` says what is unavailable and why. */
  constructor(message: string) {
    super('unavailable');
    this.message = message;
  }
}
