import type { Joined, Member, Message, Room } from '../client/client.ts';
import { LogView } from './log-view.ts';
import type { Names } from './names.ts';
import { OutboxView } from './outbox.ts';

const HISTORY = 50;

export interface RoomViewEvents {
  /** Something that the lists beside the log show has changed. */
  changed(): void;
  isMe(userId: string): boolean;
  /** Whether the person looks at this room now. */
  isSeen(): boolean;
}

/** One room of the chat page: its log, its unsent messages, its unread mark and its draft. */
export class RoomView {
  readonly name: string;
  readonly #room: Room;
  readonly #log: LogView;
  readonly #outbox: OutboxView;
  readonly #events: RoomViewEvents;
  readonly #offs: readonly (() => void)[];
  #unread = 0;
  /** How many messages of the first history are still to come; undefined until the room is joined. */
  #history: number | undefined;
  draft = '';

  constructor(room: Room, names: Names, events: RoomViewEvents) {
    this.name = room.name;
    this.#room = room;
    this.#events = events;
    this.#outbox = new OutboxView(
      (text) => room.send({ text }),
      () => this.#log.toEnd(),
    );
    this.#log = new LogView(room.name, names, this.#outbox.element);
    this.#offs = [
      room.on('joined', (joined) => this.#joined(joined)),
      room.on('message', (message) => this.#message(message)),
      room.on('members', () => this.#membersChanged()),
      room.on('unrecovered', () => this.#log.notice('You missed messages that are no longer kept.')),
      room.on('left', (error) =>
        this.#log.notice(`You are not in this room: ${error?.message ?? 'removed'}.`),
      ),
    ];
    // A refusal comes as `left`; a closed client is told by its state.
    room.join({ history: HISTORY }).catch(() => {});
  }

  get element(): HTMLElement {
    return this.#log.element;
  }

  get unread(): number {
    return this.#unread;
  }

  get members(): readonly Member[] {
    return this.#room.members;
  }

  send(text: string): void {
    this.#outbox.add(text);
  }

  setAway(away: boolean): void {
    this.#room.setPresence(away ? 'away' : 'online');
  }

  show(shown: boolean): void {
    this.element.hidden = !shown;
    if (shown) this.#log.toEnd();
    this.seen();
  }

  seen(): void {
    if (this.#unread === 0 || !this.#events.isSeen()) return;
    this.#unread = 0;
    this.#events.changed();
  }

  leave(): void {
    for (const off of this.#offs) off();
    this.#room.leave();
    this.element.remove();
  }

  #membersChanged(): void {
    // Another tab of this person, or this one before it was loaded anew, has said `away`; the latest word counts.
    const mine = this.members.find((member) => this.#events.isMe(member.user_id));
    if (mine?.status === 'away' && !document.hidden) this.setAway(false);
    this.#events.changed();
  }

  #joined({ replayed = 0 }: Joined): void {
    if (this.#history !== undefined) return;
    this.#history = replayed;
    if (replayed === 0) this.#log.announce();
  }

  #message(message: Message): void {
    const own = this.#events.isMe(message.from);
    this.#log.add(message, own);
    if (this.#history !== undefined && this.#history > 0) {
      this.#history -= 1;
      if (this.#history === 0) this.#log.announce();
    } else if (!own && !this.#events.isSeen()) {
      this.#unread += 1;
      this.#events.changed();
    }
  }
}
