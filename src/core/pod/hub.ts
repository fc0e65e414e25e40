import { RecentPages } from '../delivery/recent-pages.ts';
import { Room, type RoomContext } from '../delivery/room.ts';
import type { Connection } from '../delivery/connection.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { DirectorySource, Occupied } from '../ports/directory.ts';

/** The index of this pod: its connections, by id and by user, and its rooms. */
export class Hub implements DirectorySource {
  readonly #context: RoomContext;
  readonly #connections = new Map<string, Connection>();
  readonly #users = new Map<string, Connection[]>();
  readonly #rooms = new Map<string, Room>();

  constructor(context: Omit<RoomContext, 'recentPages'>) {
    this.#context = { ...context, recentPages: new RecentPages(context) };
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
    // concat allocates an array of the exact size; a spread array takes three times the memory.
    this.#users.set(connection.userId, this.connectionsOf(connection.userId).concat([connection]));
  }

  /** Removes the connection from the index and from its rooms. */
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

  /** The room, if it has members on this pod. */
  room(name: string): Room | undefined {
    return this.#rooms.get(name);
  }

  /** The room, created if needed. The caller must add a member or a capture, or call `tidy`. */
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

  /** Drops a room without members and captures. */
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
