import type { Crosspod, Member, Message, Room } from 'crosspod-client';

/** The data of these rooms' messages, by event. */
interface Chat {
  chat: { text: string };
}

export interface RoomView {
  readonly messages: readonly Message<Chat['chat']>[];
  readonly members: readonly Member[];
  /** Why the server refused this user, or removed them from the room. */
  readonly refused: string | undefined;
}

const EMPTY: RoomView = { messages: [], members: [], refused: undefined };

/**
 * A room as React reads it. The client stays in the room while the store has a watcher. StrictMode removes the first
 * watcher and adds it again at once, so the client leaves and joins again; no message is lost or shown twice.
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
      room.onLeft((error) => this.#show({ members: [], refused: error?.message ?? 'removed by the server' })),
    ];
    // onLeft receives the same refusal.
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

/** Returns the same store to every component in the same room. */
export function roomStore(client: Crosspod, name: string): RoomStore {
  const room = client.room<Chat>(name);
  const store = stores.get(room) ?? new RoomStore(room);
  stores.set(room, store);
  return store;
}
