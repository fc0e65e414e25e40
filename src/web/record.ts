import { el } from './dom.ts';

/**
 * The kind of a log entry: a frame (`sent`, `received`), an HTTP call (`request`, `answer`), a call of the client and
 * what it reports (`call`, `result`, `event`), or what happened to the connection itself (`connection`).
 */
export type EntryKind =
  | 'sent'
  | 'received'
  | 'request'
  | 'answer'
  | 'call'
  | 'result'
  | 'event'
  | 'connection';

const MOST_ROWS = 1_000;
const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });

/** Adds an entry with its time and kind, and scrolls to the end unless the user has scrolled up. */
export function record(list: HTMLElement, kind: EntryKind, text: string): void {
  const now = new Date();
  const time = `${clock.format(now)}.${String(now.getMilliseconds()).padStart(3, '0')}`;
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  list.append(
    el(
      'li',
      { 'data-kind': kind },
      el('time', { class: 'when', datetime: now.toISOString() }, time),
      el('span', { class: 'kind' }, kind),
      el('span', { class: 'text' }, text),
    ),
  );
  if (list.childElementCount > MOST_ROWS) list.firstElementChild?.remove();
  if (atEnd) list.scrollTop = list.scrollHeight;
}
