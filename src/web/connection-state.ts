import type { Closed, Crosspod, State } from '../client/client.ts';
import { byId } from './dom.ts';
import { endWords } from './trouble-words.ts';
import { timeOf } from './words.ts';

/** By then several attempts have failed: it is no hiccup, and the person wants to know that it goes on. */
const LONG_MS = 10_000;

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
  #closed: Closed | undefined;
  #awaySince = new Date();
  #long: ReturnType<typeof setTimeout> | undefined;

  show(client: Crosspod): void {
    this.#turnTo(client.state, undefined);
    client.onState((state, closed) => this.#turnTo(state, closed));
    for (const event of ['offline', 'online']) addEventListener(event, () => this.#draw());
    this.#again.addEventListener('click', () => location.reload());
  }

  #turnTo(state: State, closed: Closed | undefined): void {
    this.#state = state;
    this.#closed = closed;
    this.#awaySince = new Date();
    clearTimeout(this.#long);
    this.#long = setTimeout(() => this.#draw(), LONG_MS);
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
    if (this.#closed !== undefined) return endWords(this.#closed);
    if (this.#isOffline()) return 'You are offline. What you write is sent when you are back.';
    if (this.#state === 'connected' || Date.now() - this.#awaySince.getTime() < LONG_MS) return '';
    const since = timeOf(this.#awaySince);
    return `No connection since ${since}. The page goes on trying; what you write is sent then.`;
  }
}

/** What stays as it is need not be read out again. */
function say(element: HTMLElement, words: string): void {
  if (element.textContent !== words) element.textContent = words;
}
