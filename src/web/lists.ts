import type { Member } from '../client/client.ts';
import { el } from './dom.ts';
import type { Names } from './names.ts';
import type { RoomView } from './room-view.ts';

/** Draws the list of rooms: marks the shown one, and counts the unread messages of the others. */
export function drawRooms(
  list: HTMLElement,
  views: Iterable<RoomView>,
  shown: RoomView | undefined,
  open: (name: string) => void,
): void {
  const focused = list.contains(document.activeElement) ? document.activeElement?.id : undefined;
  list.replaceChildren(...Array.from(views, (view) => roomRow(view, view === shown, open)));
  if (focused !== undefined) document.getElementById(focused)?.focus();
}

function roomRow(view: RoomView, current: boolean, open: (name: string) => void): HTMLLIElement {
  const button = el('button', { type: 'button', id: `room:${view.name}`, 'aria-current': current && 'true' });
  button.append(el('span', { class: 'name' }, view.name));
  if (view.unread > 0) {
    button.classList.add('has-unread');
    button.append(unreadBadge(view.unread));
  }
  button.addEventListener('click', () => open(view.name));
  return el('li', {}, button);
}

function unreadBadge(count: number): HTMLElement {
  return el('span', { class: 'badge' }, String(count), el('span', { class: 'unseen' }, ' unread'));
}

/** Draws the members of the shown room: this user first, then the others by name. */
export function drawMembers(list: HTMLElement, members: readonly Member[], me: string, names: Names): void {
  const rank = (member: Member): number => (member.user_id === me ? 0 : 1);
  const byName = (a: Member, b: Member): number =>
    names.of(a.user_id).localeCompare(names.of(b.user_id)) || a.user_id.localeCompare(b.user_id);
  const sorted = members.toSorted((a, b) => rank(a) - rank(b) || byName(a, b));
  list.replaceChildren(...sorted.map((member) => memberRow(member, member.user_id === me, names)));
}

function memberRow({ user_id: id, status }: Member, isMe: boolean, names: Names): HTMLLIElement {
  const row = el('li', { 'data-status': status }, el('span', { class: 'name' }, names.of(id)));
  const notes = [isMe ? 'you' : '', names.noteOn(id), status === 'away' ? 'away' : ''];
  const note = notes.filter(Boolean).join(', ');
  if (note === '') row.append(el('span', { class: 'unseen' }, 'online'));
  else row.append(el('span', { class: 'note' }, note));
  return row;
}
