import type { Closed, Crosspod, State } from '../client/client.ts';
import { byId } from './dom.ts';
import { endWords, ORIGIN_REFUSED, originWords, outageWords } from './trouble-words.ts';

/** After this many failed attempts the page tells the user that it keeps trying. */
const FEW_ATTEMPTS = 3;

const WORDS: Record<State, string> = {
  connecting: 'connecting…',
  connected: 'connected',
  reconnecting: 'reconnecting…',
  closed: 'disconnected',
};

/**
 * Shows the state of the connection below the room's name. If a trouble lasts, it explains it above the messages. The
 * user can reload the page when the connection is closed for good.
 */
export class ConnectionState {
  readonly #stateLine = byId('state', HTMLElement);
  readonly #again = byId('again', HTMLButtonElement);
  #state: State = 'connecting';
  /** How the connection ended for good. */
  #closed: Closed | undefined;
  /** Why the last attempt failed, if the server said so. */
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
    this.#stateLine.dataset['state'] = this.#state;
    say(this.#stateLine, this.#isOffline() ? 'offline' : WORDS[this.#state]);
    this.#again.hidden = this.#closed === undefined;
    byId('trouble', HTMLElement).hidden = trouble === '';
    say(byId('trouble-words', HTMLElement), trouble);
  }

  /** Only while there is no connection: some networks work although the browser says `offline`. */
  #isOffline(): boolean {
    return !navigator.onLine && (this.#state === 'connecting' || this.#state === 'reconnecting');
  }

  #trouble(): string {
    if (this.#state === 'connected') return '';
    if (this.#closed !== undefined) return endWords(this.#closed);
    if (this.#isOffline()) return 'You are offline. The page sends what you write when you are online again.';
    if (this.#refusal === ORIGIN_REFUSED) return originWords(location.origin);
    return this.#failures < FEW_ATTEMPTS ? '' : outageWords(this.#awaySince);
  }
}

/** Sets the text only if it differs, so that screen readers do not read it again. */
function say(element: HTMLElement, words: string): void {
  if (element.textContent !== words) element.textContent = words;
}
