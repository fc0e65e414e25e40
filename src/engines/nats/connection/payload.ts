import { Refused } from '../../../core/base/refused.ts';

/** The server counts a message's headers too. */
const HEADERS = 128;

/**
 * The largest message that the server takes from this account and user, as it says when the pod connects. After an
 * operator lowers the limit, one message that is too large ends the connection; sent again on the next one, it is
 * rejected here.
 */
export class Payload {
  #told: () => number | undefined = () => undefined;

  /** Bytes of a message without its headers. Infinity before the first connection. */
  get most(): number {
    return (this.#told() ?? Infinity) - HEADERS;
  }

  /** Takes over a new connection; `told` returns its server's latest limit. */
  begin(told: () => number | undefined): void {
    this.#told = told;
  }

  /** Raises `too_large` for a message of so many bytes. */
  require(bytes: number): void {
    if (bytes > this.most)
      throw new Refused(
        'too_large',
        `the message has ${bytes} bytes with its metadata; at most ${this.most} can be sent`,
      );
  }
}
