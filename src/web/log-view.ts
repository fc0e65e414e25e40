import type { Message } from '../client/client.ts';
import { bubble } from './bubble.ts';
import { button, el } from './dom.ts';
import type { Names } from './names.ts';
import { dayOf, textOf } from './words.ts';

/** Older rows are removed, so that a busy room does not fill the memory of an open tab. */
const MOST_ROWS = 500;
const FOLLOWS_WITHIN_MS = 5 * 60_000;
const ANNOUNCE_AFTER_MS = 250;
const NEAR_END_PX = 80;

/** The messages of one room, newest at the end. It scrolls to the end unless the user has scrolled up. */
export class LogView {
  readonly element: HTMLElement;
  readonly #scroller: HTMLElement;
  readonly #names: Names;
  readonly #rows = el('ol', { class: 'rows' });
  readonly #empty = el('p', { class: 'empty' }, 'Nothing has been said here yet.');
  readonly #newer: HTMLButtonElement;
  #day = '';
  /** The last message: the next one needs no name if it follows soon and has the same author. */
  #last: { readonly from: string; readonly at: Date } | undefined;

  /** `outbox` is shown below the messages. */
  constructor(room: string, names: Names, outbox: HTMLElement) {
    this.#names = names;
    this.#scroller = el(
      'div',
      // Off until the history is complete, so that screen readers do not read fifty old messages.
      { class: 'log', role: 'log', tabindex: '0', 'aria-label': `Messages in ${room}`, 'aria-live': 'off' },
      this.#empty,
      this.#rows,
      outbox,
    );
    this.#newer = button('New messages below', 'newer', () => this.toEnd());
    this.#newer.hidden = true;
    this.#scroller.addEventListener('scroll', () => {
      if (this.#isAtEnd()) this.#newer.hidden = true;
    });
    this.element = el('div', { class: 'pane' }, this.#scroller, this.#newer);
  }

  /** Lets screen readers read new messages; with a delay, because browsers announce earlier rows late. */
  announce(): void {
    setTimeout(() => this.#scroller.setAttribute('aria-live', 'polite'), ANNOUNCE_AFTER_MS);
  }

  add(message: Message, own: boolean): void {
    const at = new Date(message.timestamp);
    this.#turnTo(at);
    const follows =
      this.#last?.from === message.from && at.getTime() - this.#last.at.getTime() < FOLLOWS_WITHIN_MS;
    this.#last = { from: message.from, at };
    const author = { name: this.#names.of(message.from), note: this.#names.noteOn(message.from) };
    this.#append(bubble({ author, own, follows, text: textOf(message.data), at }), own);
  }

  /** Adds a line of the page itself, such as a gap in the history, unless the last row says the same. */
  notice(text: string, ...actions: readonly HTMLButtonElement[]): void {
    const before = this.#rows.lastElementChild;
    const isRepeated = before?.matches('.notice') === true && before.textContent === text;
    if (isRepeated && actions.length === 0) return;
    this.#last = undefined;
    this.#append(el('li', { class: 'notice' }, el('span', {}, text), ...actions), false);
  }

  toEnd(): void {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#newer.hidden = true;
  }

  #turnTo(at: Date): void {
    if (this.#day === at.toDateString()) return;
    this.#day = at.toDateString();
    this.#last = undefined;
    this.#append(el('li', { class: 'day' }, dayOf(at)), false);
  }

  #append(row: HTMLLIElement, follow: boolean): void {
    const keep = follow || this.#isAtEnd();
    this.#empty.hidden = true;
    this.#rows.append(row);
    if (this.#rows.childElementCount > MOST_ROWS) this.#rows.firstElementChild?.remove();
    if (keep) this.toEnd();
    else this.#newer.hidden = false;
  }

  #isAtEnd(): boolean {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  }
}
