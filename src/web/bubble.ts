import { el } from './dom.ts';
import { timeOf } from './words.ts';

export interface BubbleContent {
  readonly author: { readonly name: string; readonly note: string };
  readonly own: boolean;
  /** Whether the message before is by the same author, so that the name need not be shown again. */
  readonly follows: boolean;
  readonly text: string;
  readonly at: Date;
}

/** A message as a row of the log. Screen readers read the author even where it is not shown. */
export function bubble({ author, own, follows, text, at }: BubbleContent): HTMLLIElement {
  const name = el('span', { class: own || follows ? 'unseen' : 'author' }, own ? 'You' : author.name);
  if (!own && author.note !== '') name.append(' ', el('span', { class: 'note' }, author.note));
  const when = el('time', { class: 'when', datetime: at.toISOString() }, timeOf(at));
  return el(
    'li',
    { class: ['message', own ? 'own' : '', follows ? 'follows' : ''].join(' ').trim() },
    el('div', { class: 'bubble' }, name, el('p', { class: 'text' }, text), when),
  );
}
