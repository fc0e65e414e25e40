import { CrosspodError, type Joined, type Member, type Message, type Room } from '../client/client.ts';
import { button } from './dom.ts';
import { LogView } from './log-view.ts';
import type { Names } from './names.ts';
import { OutboxView } from './outbox.ts';
import { gapWords, leftWords } from './trouble-words.ts';

const HISTORY = 50;

export interface RoomViewEvents {
  /** The members, the unread count or the user's membership has changed. */
  changed(): void;
  isMe(userId: string): boolean;
  /** Whether the user is looking at this room now. */
  isSeen(): boolean;
}

/** One room of the chat page: its log, its messages without an ack, its unread count and its draft. */
export class RoomView {
  readonly name: string;
  readonly #room: Room;
  readonly #log: LogView;
  readonly #outbox: OutboxView;
  readonly #events: RoomViewEvents;
  readonly #offs: readonly (() => void)[];
  #unread = 0;
  /** Whether the server has removed the user from the room, or rejected the join. */
  #isOut = false;
  /** How many messages of the first history are still to come; undefined until the room is joined. */
  #history: number | undefined;
  draft = '';

  constructor(room: Room, names: Names, events: RoomViewEvents) {
    this.name = room.name;
    this.#room = room;
    this.#events = events;
    this.#outbox = new OutboxView(
      (text) => this.#publish(text),
      () => this.#log.toEnd(),
    );
    this.#log = new LogView(room.name, names, this.#outbox.element);
    this.#offs = [
      room.onJoined((joined) => this.#joined(joined)),
      room.onMessage((message) => this.#message(message)),
      room.onMembers(() => this.#membersChanged()),
      room.onUnrecovered((gap) => this.notice(gapWords(gap))),
      room.onLeft((error) => this.#left(error)),
    ];
    this.#enter();
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

  /** Adds a line of the page itself among the messages. */
  notice(text: string): void {
    this.#log.notice(text);
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

  /** Joins with history the first time only: messages from a time outside the room are not shown. */
  #enter(): void {
    // A rejected join reaches `onLeft`, and a closed client shows in its state.
    this.#room.join(this.#history === undefined ? { history: HISTORY } : {}).catch(() => {});
  }

  /** Outside the room the server would accept the message, but the user would never see it in the log. */
  #publish(text: string): Promise<string> {
    if (this.#isOut) return Promise.reject(new CrosspodError('left', 'not in the room'));
    return this.#room.send({ text });
  }

  #left(error: CrosspodError | undefined): void {
    this.#isOut = true;
    const again = button('Enter again', 'quiet', () => {
      again.remove();
      this.#enter();
    });
    this.#log.notice(leftWords(error), again);
    this.#events.changed();
  }

  #membersChanged(): void {
    // Another tab of this user, or this tab before a reload, has set `away`; the latest presence counts.
    const mine = this.members.find((member) => this.#events.isMe(member.user_id));
    if (mine?.status === 'away' && !document.hidden) this.setAway(false);
    this.#events.changed();
  }

  #joined({ replayed = 0 }: Joined): void {
    if (this.#isOut) this.notice('You have entered this room.');
    this.#isOut = false;
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
