import type { Closed, Crosspod, State } from '../client/client.ts';
import { byId } from './dom.ts';
import { endWords, ORIGIN_REFUSED, originWords, outageWords } from './trouble-words.ts';

/** After so many attempts it is no hiccup any more, and the person wants to know that it goes on. */
const FEW_ATTEMPTS = 3;

const WORDS: Record<State, string> = {
  connecting: 'connecting…',
  connected: 'connected',
  reconnecting: 'reconnecting…',
  closed: 'disconnected',
};

/**
 * Says below the room's name how the connection is, and above the messages what that means for the person where it
 * lasts. One that is closed for good can be begun again by hand.
 */
export class ConnectionState {
  readonly #line = byId('state', HTMLElement);
  readonly #again = byId('again', HTMLButtonElement);
  #state: State = 'connecting';
  /** How it ended for good. */
  #closed: Closed | undefined;
  /** Why the last attempt failed, where the server has said so. */
  #refusal = '';
  #awaySince = new Date();
  #failures = 0;

  show(client: Crosspod): void {
    this.#turnTo(client.state, undefined);
    client.onState((state, end) => this.#turnTo(state, end));
    for (const event of ['offline', 'online']) addEventListener(event, () => this.#draw());
    this.#again.addEventListener('click', () => location.reload());
  }

  #turnTo(state: State, end: Closed | undefined): void {
    const isAttempt = state === this.#state && end !== undefined;
    this.#failures = isAttempt ? this.#failures + 1 : 0;
    if (!isAttempt) this.#awaySince = new Date();
    this.#state = state;
    this.#closed = state === 'closed' ? end : undefined;
    this.#refusal = end?.reason ?? '';
    this.#draw();
  }

  #draw(): void {
    const trouble = this.#trouble();
    this.#line.dataset['state'] = this.#state;
    say(this.#line, this.#isOffline() ? 'offline' : WORDS[this.#state]);
    this.#again.hidden = this.#closed === undefined;
    byId('trouble', HTMLElement).hidden = trouble === '';
    say(byId('trouble-words', HTMLElement), trouble);
  }

  /** The browser's word explains a loss, but is no proof of one: some networks work while it says `offline`. */
  #isOffline(): boolean {
    return !navigator.onLine && (this.#state === 'connecting' || this.#state === 'reconnecting');
  }

  #trouble(): string {
    if (this.#state === 'connected') return '';
    if (this.#closed !== undefined) return endWords(this.#closed);
    if (this.#isOffline()) return 'You are offline. What you write is sent when you are back.';
    if (this.#refusal === ORIGIN_REFUSED) return originWords(location.origin);
    return this.#failures < FEW_ATTEMPTS ? '' : outageWords(this.#awaySince);
  }
}

/** What stays as it is need not be read out again. */
function say(element: HTMLElement, words: string): void {
  if (element.textContent !== words) element.textContent = words;
}
