import { CrosspodError } from '../client/client.ts';
import { button, el } from './dom.ts';

/** A message that is acked sooner is not shown as being sent, because it would only flicker. */
const SHOW_AFTER_MS = 300;

/** The user's messages that the server has not acked, in the order in which they were sent. */
export class OutboxView {
  readonly element = el('ol', { class: 'outbox', 'aria-live': 'off' });
  readonly #send: (text: string) => Promise<unknown>;
  readonly #changed: () => void;

  /** `changed` is called when a row appears, so that the log can scroll to it. */
  constructor(send: (text: string) => Promise<unknown>, changed: () => void) {
    this.#send = send;
    this.#changed = changed;
  }

  add(text: string): void {
    const note = el('span', { class: 'when' }, 'sending…');
    const body = el('div', { class: 'bubble' }, el('p', { class: 'text' }, text), note);
    const row = el('li', { class: 'message own' }, body);
    void this.#track(text, row, note);
  }

  async #track(text: string, row: HTMLLIElement, note: HTMLElement): Promise<void> {
    const show = setTimeout(() => this.#show(row), SHOW_AFTER_MS);
    try {
      await this.#send(text);
      row.remove();
    } catch (error) {
      this.#failed(text, row, note, error);
    } finally {
      clearTimeout(show);
    }
  }

  #failed(text: string, row: HTMLLIElement, note: HTMLElement, error: unknown): void {
    const retry = button('Try again', 'quiet', () => {
      row.remove();
      this.add(text);
    });
    const discard = button('Discard', 'quiet', () => row.remove());
    note.textContent = outcome(error);
    note.setAttribute('role', 'alert');
    row.classList.add('failed');
    row.firstElementChild?.append(el('span', { class: 'actions' }, retry, discard));
    this.#show(row);
  }

  #show(row: HTMLLIElement): void {
    this.element.append(row);
    this.#changed();
  }
}

/** Sentences for the client's own error codes. */
const OWN_REASONS: Readonly<Record<string, string>> = {
  closed: 'you are disconnected',
  left: 'you are not in this room',
  queue_full: 'too many messages are waiting',
  too_large: 'the message is too long',
};

function outcome(error: unknown): string {
  if (!(error instanceof CrosspodError)) return 'not sent: something went wrong';
  if (error.code === 'outcome_unknown') return 'perhaps sent: the server did not answer in time';
  return `not sent: ${OWN_REASONS[error.code] ?? error.message}`;
}
