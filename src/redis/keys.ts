/** Names of everything in Redis (docs/operations.md has the table); `prefix` goes before each of them. */
export class Keys {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Names the data that Redis holds. */
  get epoch(): string {
    return `${this.#prefix}realtime:epoch`;
  }

  /** Stream: a room's messages. */
  history(room: string): string {
    return `${this.#prefix}realtime:history:${room}`;
  }

  /** Hash: a room's newest position and what else outlives its messages. */
  state(room: string): string {
    return `${this.#prefix}realtime:state:${room}`;
  }

  /** Hash: messages of the history that were delivered provisionally without being marked so. */
  provisional(room: string): string {
    return `${this.#prefix}realtime:provisional:${room}`;
  }

  /** String: the id first given under an idempotency key. */
  claim(name: string): string {
    return `${this.#prefix}realtime:claim:${name}`;
  }

  /** Hash: who is present in a room, a row for each user. */
  presence(room: string): string {
    return `${this.#prefix}presence:${room}`;
  }

  /** Hash: through which connections each user of a room is present. */
  tabs(room: string): string {
    return `${this.#prefix}realtime:tabs:${room}`;
  }

  /** Sorted set: pods, by the end of their leases. */
  get pods(): string {
    return `${this.#prefix}realtime:pods`;
  }

  /** Sorted set: pods that are dead and not yet cleaned up after, by when that is due. */
  get graves(): string {
    return `${this.#prefix}realtime:graves`;
  }

  /** Set: who is present where through a pod. */
  podPresence(pod: string): string {
    return `${this.#prefix}realtime:pod-presence:${pod}`;
  }

  /** Set: whose connections are counted for a pod. */
  podUsers(pod: string): string {
    return `${this.#prefix}realtime:pod-users:${pod}`;
  }

  /** Sorted set: rooms with connections, by name. */
  get rooms(): string {
    return `${this.#prefix}realtime:rooms`;
  }

  /** Hash: connections in each room, over all pods. */
  get roomCounts(): string {
    return `${this.#prefix}realtime:room-counts`;
  }

  /** Hash: connections in each room on one pod. */
  podRooms(pod: string): string {
    return `${this.#prefix}realtime:pod-rooms:${pod}`;
  }

  /** Hash: how many connections each pod has, and since when it is there. */
  get loads(): string {
    return `${this.#prefix}realtime:loads`;
  }

  /** Hash: a user's connections and their pods. */
  user(userId: string): string {
    return `${this.#prefix}realtime:user:${userId}`;
  }

  /** Channel: what concerns all pods. */
  get globalChannel(): string {
    return `${this.#prefix}realtime:global`;
  }

  roomChannel(room: string): string {
    return `${this.#prefix}realtime:room:${room}`;
  }

  /** The room of a `roomChannel`; undefined for any other channel. */
  roomOf(channel: string): string | undefined {
    const start = this.roomChannel('');
    return channel.startsWith(start) ? channel.slice(start.length) : undefined;
  }

  /** Channel: by which a pod finds out whether its subscription lives. */
  probeChannel(pod: string): string {
    return `${this.#prefix}realtime:probe:${pod}`;
  }
}
