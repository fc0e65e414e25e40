import { el } from './dom.ts';

/**
 * Which way a frame went, what was asked by HTTP, or what was called of the client and what it told; `line` is what
 * happened to the connection itself.
 */
export type Way = 'sent' | 'received' | 'request' | 'answer' | 'call' | 'result' | 'event' | 'line';

const MOST_ROWS = 1_000;
const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });

/** Adds a row with time and direction, and keeps to the end unless one has scrolled up. */
export function record(list: HTMLElement, way: Way, text: string): void {
  const now = new Date();
  const time = `${clock.format(now)}.${String(now.getMilliseconds()).padStart(3, '0')}`;
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  list.append(
    el(
      'li',
      { 'data-way': way },
      el('time', { class: 'when', datetime: now.toISOString() }, time),
      el('span', { class: 'way' }, way),
      el('span', { class: 'text' }, text),
    ),
  );
  if (list.childElementCount > MOST_ROWS) list.firstElementChild?.remove();
  if (atEnd) list.scrollTop = list.scrollHeight;
}
