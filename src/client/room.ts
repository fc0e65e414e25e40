import type { CrosspodError } from './errors.ts';
import type { Gap, JoinOptions, Membership } from './membership.ts';
import type { AnyEvents, EventName, SendOptions } from './messages.ts';
import type { Off } from './signal.ts';
import type { Joined, Member, Message, Status } from './wire.ts';

/** What a room needs of its client. */
interface RoomOwner {
  publish(data: unknown, options: SendOptions): Promise<string>;
  /** Keeps the room object, because it has a listener. */
  listenerAdded(): void;
}

/**
 * A room of a client; `client.room(name)` makes it. The first listener for messages, presence or members joins the
 * room, and the client stays in it over every reconnect until `leave`. `Events` maps the names of events to the type
 * of `data` in their messages.
 */
export class Room<Events extends object = AnyEvents> {
  readonly name: string;
  readonly #membership: Membership;
  readonly #owner: RoomOwner;
  #joinsSoon = false;

  /** @internal */
  constructor(membership: Membership, owner: RoomOwner) {
    this.name = membership.room;
    this.#membership = membership;
    this.#owner = owner;
  }

  /**
   * Calls the listener with each message of that event, and joins the room. A message without an event goes by its
   * type, `chat` or `notification`. Each message comes once and in the room's order, and the history and missed
   * messages come first.
   */
  on<Name extends EventName<Events>>(event: Name, listener: (message: Message<Events[Name]>) => void): Off {
    this.#joinSoon();
    return this.#membership.messages.on(event, listener as (message: Message) => void);
  }

  /** Calls the listener with each message, whatever its event, and joins the room. */
  onMessage(listener: (message: Message<Events[EventName<Events>]>) => void): Off {
    this.#joinSoon();
    return this.#membership.messages.any.on(listener as (message: Message) => void);
  }

  /** Calls the listener with each member that joins, changes, or leaves (`status` is `offline`), and joins the room. */
  onPresence(listener: (member: Member) => void): Off {
    this.#joinSoon();
    return this.#membership.presence.on(listener);
  }

  /** Calls the listener when the list or the number of members has changed, and joins the room. */
  onMembers(listener: (members: readonly Member[], count: number) => void): Off {
    this.#joinSoon();
    return this.#membership.membersChanged.on(listener);
  }

  /** Calls the listener after each join, also after those that follow a reconnect. */
  onJoined(listener: (joined: Joined) => void): Off {
    this.#owner.listenerAdded();
    return this.#membership.joined.on(listener);
  }

  /** Calls the listener when messages are missing, or may be, with the reason. */
  onUnrecovered(listener: (gap: Gap) => void): Off {
    this.#owner.listenerAdded();
    return this.#membership.unrecovered.on(listener);
  }

  /**
   * Calls the listener when the server has removed this client from the room (without an error), or rejects its join,
   * also after a reconnect (with the error).
   */
  onLeft(listener: (error: CrosspodError | undefined) => void): Off {
    this.#owner.listenerAdded();
    return this.#membership.left.on(listener);
  }

  /** The members last listed: the same array until they change. While the client reconnects, those from before. */
  get members(): readonly Member[] {
    return this.#membership.members.list;
  }

  /** The number of members, which in a large room is greater than the number of listed ones. */
  get count(): number {
    return this.#membership.members.count;
  }

  /**
   * Joins the room, with a part of its history if `options` says so; only the options of the first call count. Resolves
   * when the server has answered, which may take until the client is connected. Rejects with a CrosspodError if the
   * server rejects the join.
   */
  join(options?: JoinOptions): Promise<Joined> {
    return this.#membership.join(options);
  }

  /**
   * Publishes any JSON value to the room; the client need not have joined it. Resolves with the message's id. If the
   * connection is lost, the client sends the message again, and it still arrives once. Rejects with a CrosspodError if
   * the server or the client rejects the message; its `code` says why.
   */
  send<Name extends EventName<Events> = 'chat' & EventName<Events>>(
    data: Events[Name],
    options: SendOptions<Name> = {},
  ): Promise<string> {
    // A listener added before must also get this message, so the join goes out first.
    this.#joinNow();
    return this.#owner.publish(data, options);
  }

  /**
   * Sets how the other members see this user in the room. The client sends it again after a reconnect, until `leave` or
   * until another device of the user sets another presence. `meta` is a JSON object.
   */
  setPresence(status: Status, meta?: object): void {
    this.#membership.setPresence(status, meta);
  }

  /** Leaves the room. The listeners stay; adding another one, or `join`, joins the room again. */
  leave(): void {
    this.#joinsSoon = false;
    this.#membership.leave();
  }

  /** @internal The server made the client join. */
  given(joined: Joined, tell: () => void): void {
    this.#membership.given(joined, tell);
  }

  /** Joins at the end of this turn, so that the application can still call `join` with options. */
  #joinSoon(): void {
    this.#owner.listenerAdded();
    this.#joinsSoon = true;
    queueMicrotask(() => this.#joinNow());
  }

  #joinNow(): void {
    if (this.#joinsSoon) this.#membership.joinForListener();
    this.#joinsSoon = false;
  }
}
