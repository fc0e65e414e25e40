import type { CrosspodError } from './errors.ts';
import type { Gap, JoinOptions, Membership } from './membership.ts';
import type { AnyEvents, EventName, SendOptions } from './messages.ts';
import type { Off } from './signal.ts';
import type { Joined, Member, Message, Status } from './wire.ts';

/** What a room needs of its client. */
interface RoomOwner {
  publish(data: unknown, options: SendOptions): Promise<string>;
  /** Somebody listens. */
  heard(): void;
}

/**
 * One room; made by `client.room(name)`. Whoever listens to its messages or its members is in it from then on,
 * through every reconnect until `leave`; `Events` maps the names of events to what their messages carry.
 */
export class Room<Events extends object = AnyEvents> {
  readonly name: string;
  readonly #membership: Membership;
  readonly #owner: RoomOwner;
  #joinsSoon = false;

  /** For the client alone. */
  constructor(membership: Membership, owner: RoomOwner) {
    this.name = membership.room;
    this.#membership = membership;
    this.#owner = owner;
  }

  /**
   * Messages by the name of their event; one without has that of its type, `chat` or `notification`. Each comes
   * once: history and what was missed first, in order.
   */
  on<Name extends EventName<Events>>(event: Name, listener: (message: Message<Events[Name]>) => void): Off {
    this.#joinSoon();
    return this.#membership.messages.on(event, listener as (message: Message) => void);
  }

  /** Every message, whatever its event. */
  onMessage(listener: (message: Message<Events[EventName<Events>]>) => void): Off {
    this.#joinSoon();
    return this.#membership.messages.any.on(listener as (message: Message) => void);
  }

  /** Somebody came, changed or left (`status` is `offline`). */
  onPresence(listener: (member: Member) => void): Off {
    this.#joinSoon();
    return this.#membership.presence.on(listener);
  }

  /** The list or the number of members changed. */
  onMembers(listener: (members: readonly Member[], count: number) => void): Off {
    this.#joinSoon();
    return this.#membership.membersChanged.on(listener);
  }

  /** After every join, those that follow a reconnect included. */
  onJoined(listener: (joined: Joined) => void): Off {
    this.#owner.heard();
    return this.#membership.joined.on(listener);
  }

  /** Messages are missing or may be, and why. */
  onUnrecovered(listener: (gap: Gap) => void): Off {
    this.#owner.heard();
    return this.#membership.unrecovered.on(listener);
  }

  /** The server took this client out of the room, or does not let it in (again). */
  onLeft(listener: (error: CrosspodError | undefined) => void): Off {
    this.#owner.heard();
    return this.#membership.left.on(listener);
  }

  /** The members as last heard, the same array until they change; while the line is down, those from before. */
  get members(): readonly Member[] {
    return this.#membership.members.list;
  }

  /** How many members there are; in a large room more than are listed. */
  get count(): number {
    return this.#membership.members.count;
  }

  /**
   * Enters the room, if need be with a part of its history; only the first call's options count. Resolves when the
   * server has answered, which may take as long as the connection does; rejects with a CrosspodError when it refuses.
   */
  join(options?: JoinOptions): Promise<Joined> {
    return this.#membership.join(options);
  }

  /**
   * Publishes any JSON; no membership is needed. Resolves with the message's id; through a lost connection it is sent
   * again and still arrives once. Rejects with a CrosspodError (`code`) when the server or the client refuses it.
   */
  send<Name extends EventName<Events> = 'chat' & EventName<Events>>(
    data: Events[Name],
    options: SendOptions<Name> = {},
  ): Promise<string> {
    // Whoever listens hears what is sent from now on, also by this client.
    this.#joinNow();
    return this.#owner.publish(data, options);
  }

  /**
   * How the others see this user here, also after a reconnect, until `leave` or until another device of the user says
   * something; `meta` is a JSON object.
   */
  setPresence(status: Status, meta?: object): void {
    this.#membership.setPresence(status, meta);
  }

  /** The listeners stay; the next one, or `join`, enters again. */
  leave(): void {
    this.#joinsSoon = false;
    this.#membership.leave();
  }

  /** At the end of the turn, so that a `join` with options may follow. */
  #joinSoon(): void {
    this.#owner.heard();
    this.#joinsSoon = true;
    queueMicrotask(() => this.#joinNow());
  }

  #joinNow(): void {
    if (this.#joinsSoon) this.#membership.joinUnasked();
    this.#joinsSoon = false;
  }
}
