import { Refused } from '../../../core/base/refused.ts';

/** The headers that go with a message count too. */
const HEADERS = 128;

/**
 * How large a message may be for the server, and for this account and user. It says so to whoever connects. Where that
 * is changed later, a message that is too large ends the connection; sent again on the next one it is refused here.
 */
export class Payload {
  #told: () => number | undefined = () => undefined;

  /** Bytes of a message, without its headers. Infinity: no server has said anything yet. */
  get most(): number {
    return (this.#told() ?? Infinity) - HEADERS;
  }

  /** Another connection; `told`: what its server has said last. */
  begin(told: () => number | undefined): void {
    this.#told = told;
  }

  /** Raises `too_large` for a message of so many bytes. */
  require(bytes: number): void {
    if (bytes > this.most)
      throw new Refused(
        'too_large',
        `the message has ${bytes} bytes with all that goes with it; at most ${this.most} can be sent`,
      );
  }
}
