/**
 * Names of all keys and channels in Redis (docs/platform/redis.md has the table); each begins with `prefix`. In a
 * Cluster all keys of a room have the room as their hash tag, so that one server has them all; keys of no room share
 * one tag (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags).
 */
export class Keys {
  readonly #prefix: string;
  readonly clustered: boolean;

  constructor(prefix: string, clustered = false) {
    this.#prefix = prefix;
    this.clustered = clustered;
  }

  /** Hash: names the data that Redis holds, and the runs of its servers. */
  get epoch(): string {
    return this.#shared('epoch');
  }

  /**
   * The key from which scripts that make positions read the epoch. In a Cluster the pod supplies the epoch, and they
   * read nothing.
   */
  epochOf(room: string): string {
    return this.clustered ? this.state(room) : this.epoch;
  }

  /** Stream: a room's messages. */
  history(room: string): string {
    return this.#ofRoom('realtime:history', room);
  }

  /** Hash: a room's newest position, and other facts that outlive its messages. */
  state(room: string): string {
    return this.#ofRoom('realtime:state', room);
  }

  /** String: the message that a room gives to a client that joins. */
  lastValue(room: string, slot: string): string {
    return this.#ofRoom(`realtime:last-${slot}`, room);
  }

  /** String: the id first given under an idempotency key. */
  claim(room: string, name: string): string {
    return this.clustered
      ? `${this.#ofRoom('realtime:claim', room)}:${name}`
      : `${this.#prefix}realtime:claim:${name}`;
  }

  /** Hash: the members of a room, a row for each user. */
  presence(room: string): string {
    return this.#ofRoom('presence', room);
  }

  /** Hash: the connections through which each member of a room is present. */
  tabs(room: string): string {
    return this.#ofRoom('realtime:tabs', room);
  }

  /** String: a dead pod was reaped in this room, and can have no members there any more. */
  podReaped(room: string, pod: string): string {
    return `${this.#ofRoom('realtime:pod-buried', room)}:${pod}`;
  }

  /** Set: rooms in which a pod may have members. */
  podPresenceRooms(pod: string): string {
    return `${this.#shared('pod-presence-rooms')}:${pod}`;
  }

  /** Sorted set: pods, by the end of their leases. */
  get pods(): string {
    return this.#shared('pods');
  }

  /**
   * Sorted set: dead pods that are not reaped yet, by when that is due. The key says `graves`: other releases read it.
   */
  get tombstones(): string {
    return this.#shared('graves');
  }

  /** Set: the connections that are counted for a pod, and their users. */
  podUsers(pod: string): string {
    return `${this.#shared('pod-users')}:${pod}`;
  }

  /** Sorted set: rooms with connections, by name. */
  get rooms(): string {
    return this.#shared('rooms');
  }

  /** Hash: connections in each room, over all pods. */
  get roomCounts(): string {
    return this.#shared('room-counts');
  }

  /** Hash: connections in each room on one pod. */
  podRooms(pod: string): string {
    return `${this.#shared('pod-rooms')}:${pod}`;
  }

  /** Hash: how many connections each pod has, and since when it runs. */
  get loads(): string {
    return this.#shared('loads');
  }

  /** Hash: a user's connections and their pods. */
  user(userId: string): string {
    return `${this.#shared('user')}:${userId}`;
  }

  /** String: the API gave the room to the user. The name of a room contains no blank. */
  grant(userId: string, room: string): string {
    return `${this.#shared('grant')}:${room} ${userId}`;
  }

  /** Hashes and a sorted set: blocks and revocations (lua/denylist/shared.lua). */
  denials(part: 'entries' | 'removals' | 'order' | 'facts'): string {
    return `${this.#shared('denials')}:${part}`;
  }

  /** Channel: notes for all pods. */
  get globalChannel(): string {
    return `${this.#prefix}realtime:global`;
  }

  /** Channel: questions to one pod, and answers to its questions. In the slot of `pods`, for ask.lua. */
  podChannel(pod: string): string {
    return `${this.#shared('pod')}:${pod}`;
  }

  /** String: the pod has stopped, although its lease still lasts. */
  podStopped(pod: string): string {
    return `${this.#shared('pod-stopped')}:${pod}`;
  }

  roomChannel(room: string): string {
    return this.#ofRoom('realtime:room', room);
  }

  /** The room of a `roomChannel`; undefined for any other channel. */
  roomOf(channel: string): string | undefined {
    const start = `${this.#prefix}realtime:room:`;
    if (!channel.startsWith(start)) return undefined;
    return this.clustered ? channel.slice(start.length + 1, -1) : channel.slice(start.length);
  }

  /** Channel and key: by which a pod finds out whether a server serves it; `tag` is a hash tag that the server has. */
  probe(pod: string, tag: string): string {
    return this.clustered
      ? `${this.#prefix}realtime:probe:{${tag}}:${pod}`
      : `${this.#prefix}realtime:probe:${pod}`;
  }

  /**
   * A key and a channel of each kind for which an ACL may have a pattern. Only the first key, which is the pod's own,
   * is written.
   */
  samples(pod: string, tag: string): { keys: readonly string[]; channels: readonly string[] } {
    const keys = [this.probe(pod, tag), this.history(tag), this.presence(tag)];
    return { keys, channels: [this.probe(pod, tag), this.roomChannel(tag)] };
  }

  #ofRoom(kind: string, room: string): string {
    return this.clustered ? `${this.#prefix}${kind}:{${room}}` : `${this.#prefix}${kind}:${room}`;
  }

  #shared(name: string): string {
    return this.clustered ? `${this.#prefix}realtime:{pods}:${name}` : `${this.#prefix}realtime:${name}`;
  }
}
