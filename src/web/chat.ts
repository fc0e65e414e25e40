import type { Crosspod } from '../client/client.ts';
import { Composer } from './composer.ts';
import { ConnectionState } from './connection-state.ts';
import { byId } from './dom.ts';
import { Drawers } from './drawers.ts';
import type { Guest } from './guest-login.ts';
import { drawMembers, drawRooms } from './lists.ts';
import { remember } from './memory.ts';
import { enter } from './name-form.ts';
import { Names } from './names.ts';
import { onRoomAdded } from './room-form.ts';
import { RoomView } from './room-view.ts';
import { recallRooms, rememberRooms } from './rooms-memory.ts';
import { connectAs } from './session.ts';
import { refusedWords } from './trouble-words.ts';
import { plural } from './words.ts';

/** The chat page of one user: the rooms, the room that is shown, and the lists beside it. */
class Chat {
  readonly #me: Guest;
  readonly #names: Names;
  readonly #client: Crosspod;
  readonly #views = new Map<string, RoomView>();
  readonly #composer = new Composer((text) => this.#shown?.send(text));
  readonly #drawers = new Drawers([
    byId('show-rooms', HTMLButtonElement),
    byId('show-members', HTMLButtonElement),
  ]);
  #shown: RoomView | undefined;

  constructor(me: Guest) {
    this.#me = me;
    this.#names = new Names(me);
    this.#client = connectAs(me);
  }

  start(): void {
    byId('me', HTMLElement).textContent = this.#names.of(this.#me.userId);
    byId('chat', HTMLElement).hidden = false;
    new ConnectionState().show(this.#client);
    for (const name of recallRooms()) this.#add(name);
    const [first] = this.#views.keys();
    if (first !== undefined) this.#show(first);
    this.#listen();
  }

  #listen(): void {
    onRoomAdded((name) => {
      this.#add(name);
      this.#show(name);
    });
    byId('leave', HTMLButtonElement).addEventListener('click', () => this.#leaveShown());
    byId('change-name', HTMLButtonElement).addEventListener('click', () => this.#forgetName());
    // For example if the server rejected the presence that the page sets by itself.
    this.#client.onError((error) => this.#shown?.notice(refusedWords(error)));
    document.addEventListener('visibilitychange', () => {
      for (const view of this.#views.values()) view.setAway(document.hidden);
      this.#shown?.seen();
    });
  }

  #add(name: string): void {
    if (this.#views.has(name)) return;
    const view = new RoomView(this.#client.room(name), this.#names, {
      changed: () => this.#draw(),
      isMe: (userId) => userId === this.#me.userId,
      isSeen: () => this.#shown?.name === name && !document.hidden,
    });
    if (document.hidden) view.setAway(true);
    view.element.hidden = true;
    this.#views.set(name, view);
    byId('logs', HTMLElement).append(view.element);
    rememberRooms(this.#views.keys());
  }

  #show(name: string): void {
    const view = this.#views.get(name);
    if (view === undefined) return;
    if (this.#shown !== undefined) this.#shown.draft = this.#composer.draft;
    this.#shown?.show(false);
    this.#shown = view;
    view.show(true);
    this.#composer.address(name, view.draft);
    byId('room', HTMLElement).textContent = name;
    this.#draw();
    // After a choice in a drawer the focus stays on its button: on a phone the keyboard would cover the messages.
    if (!this.#drawers.close()) this.#composer.focus();
  }

  #leaveShown(): void {
    const view = this.#shown;
    if (view === undefined) return;
    this.#shown = undefined;
    this.#views.delete(view.name);
    view.leave();
    rememberRooms(this.#views.keys());
    if (this.#views.size === 0) this.#add(recallRooms()[0] ?? view.name);
    const [next] = this.#views.keys();
    if (next !== undefined) this.#show(next);
  }

  #forgetName(): void {
    remember('name', undefined);
    this.#client.close();
    location.reload();
  }

  #draw(): void {
    const views = [...this.#views.values()];
    drawRooms(byId('rooms', HTMLElement), views, this.#shown, (name) => this.#show(name));
    const members = this.#shown?.members ?? [];
    drawMembers(byId('members', HTMLElement), members, this.#me.userId, this.#names);
    for (const id of ['members-title', 'show-members']) {
      byId(id, HTMLElement).textContent = plural(members.length, 'member', 'members');
    }
    const unread = views.reduce((sum, view) => sum + view.unread, 0);
    const elsewhere = byId('elsewhere', HTMLElement);
    elsewhere.hidden = unread === 0;
    elsewhere.textContent = String(unread);
    document.title = unread > 0 ? `(${unread}) Crosspod` : 'Crosspod';
  }
}

const chat = new Chat(await enter());
chat.start();
