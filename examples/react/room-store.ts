import type { Crosspod, Member, Message, Room } from 'crosspod-client';

/** What the messages of these rooms carry, by their event. */
interface Chat {
  chat: { text: string };
}

export interface RoomView {
  readonly messages: readonly Message<Chat['chat']>[];
  readonly members: readonly Member[];
  /** Why the server does not let this user in (any more). */
  readonly refused: string | undefined;
}

const EMPTY: RoomView = { messages: [], members: [], refused: undefined };

/**
 * A room as React reads it: this client is in it as long as somebody watches. StrictMode takes the first watcher
 * away and puts it back at once, which makes it leave and join again; nothing is lost or shown twice.
 */
export class RoomStore {
  readonly #room: Room<Chat>;
  readonly #watchers = new Set<() => void>();
  #listeners: (() => void)[] = [];
  #view = EMPTY;

  constructor(room: Room<Chat>) {
    this.#room = room;
  }

  readonly view = (): RoomView => this.#view;

  readonly watch = (changed: () => void): (() => void) => {
    this.#watchers.add(changed);
    if (this.#watchers.size === 1) this.#enter();
    return () => {
      this.#watchers.delete(changed);
      if (this.#watchers.size === 0) this.#leave();
    };
  };

  readonly send = (text: string): Promise<string> => this.#room.send({ text });

  #enter(): void {
    const room = this.#room;
    this.#listeners = [
      room.on('chat', (message) => this.#show({ messages: [...this.#view.messages, message] })),
      room.onMembers((members) => this.#show({ members })),
      room.onLeft((error) => this.#show({ members: [], refused: error?.message ?? 'taken out' })),
    ];
    // A refusal comes to onLeft as well.
    void room.join({ history: 50 }).catch(() => {});
  }

  #leave(): void {
    for (const stop of this.#listeners) stop();
    this.#room.leave();
    this.#view = EMPTY;
  }

  #show(change: Partial<RoomView>): void {
    this.#view = { ...this.#view, ...change };
    for (const changed of this.#watchers) changed();
  }
}

const stores = new WeakMap<Room<Chat>, RoomStore>();

/** The same store for every component that is in the same room. */
export function roomStore(client: Crosspod, name: string): RoomStore {
  const room = client.room<Chat>(name);
  const store = stores.get(room) ?? new RoomStore(room);
  stores.set(room, store);
  return store;
}
