import { Room, type RoomContext } from '../delivery/room.ts';
import type { Connection } from '../delivery/connection.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { DirectorySource, Occupied } from '../ports/directory.ts';

/** This pod's index: which connections it has, whose they are, and which rooms they are in. */
export class Hub implements DirectorySource {
  readonly #context: RoomContext;
  readonly #connections = new Map<string, Connection>();
  readonly #users = new Map<string, Connection[]>();
  readonly #rooms = new Map<string, Room>();

  constructor(context: RoomContext) {
    this.#context = context;
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  get roomCount(): number {
    return this.#rooms.size;
  }

  connections(): Iterable<Connection> {
    return this.#connections.values();
  }

  connection(id: string): Connection | undefined {
    return this.#connections.get(id);
  }

  connectionsOf(userId: string): readonly Connection[] {
    return this.#users.get(userId) ?? [];
  }

  add(connection: Connection): void {
    this.#connections.set(connection.connectionId, connection);
    // concat makes an array without room to spare; a spread one takes three times the memory.
    this.#users.set(connection.userId, this.connectionsOf(connection.userId).concat([connection]));
  }

  /** Takes the connection out of the index and out of its rooms. */
  remove(connection: Connection): void {
    this.#connections.delete(connection.connectionId);
    const others = this.connectionsOf(connection.userId).filter((other) => other !== connection);
    if (others.length === 0) this.#users.delete(connection.userId);
    else this.#users.set(connection.userId, others);
    for (const { room } of connection.memberships) this.leave(connection, room.name);
  }

  /** Rooms with connections of this pod. */
  *occupied(): Iterable<Occupied> {
    for (const { name, size } of this.#rooms.values()) if (size > 0) yield { room: name, connections: size };
  }

  connectionsIn(room: string): number {
    return this.#rooms.get(room)?.size ?? 0;
  }

  rooms(): Iterable<Room> {
    return this.#rooms.values();
  }

  /** The room, if anybody on this pod is in it. */
  room(name: string): Room | undefined {
    return this.#rooms.get(name);
  }

  /** The room, made if need be. Whoever asks must keep it by a capture, or `tidy` it. */
  openRoom(name: string): Room {
    let room = this.#rooms.get(name);
    if (room === undefined) {
      room = new Room(name, this.#context);
      this.#rooms.set(name, room);
    }
    return room;
  }

  leave(connection: Connection, name: string): void {
    const room = this.#rooms.get(name);
    const membership = connection.membership(name);
    if (room === undefined || membership === undefined) return;
    room.remove(connection, membership);
    this.tidy(room);
  }

  /** Drops a room that nobody on this pod is in any more. */
  tidy(room: Room): void {
    if (!room.idle || this.#rooms.get(room.name) !== room) return;
    this.#rooms.delete(room.name);
    room.close();
  }

  /** Delivers to those of the connections that have subscribed the channel, one bit of CHANNELS. */
  deliverTo(connections: Iterable<Connection>, channel: number, delivery: Delivery): void {
    for (const connection of connections) {
      if (!connection.isSubscribed(channel) || connection.dialect === undefined) continue;
      const bytes = delivery.frame(connection.dialect);
      if (bytes !== undefined) connection.send({ bytes, count: 1, deliveries: [delivery] });
    }
  }
}
