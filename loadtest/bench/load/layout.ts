/** How a crowd is spread. Rooms are as large as each other: the connections divide evenly. */
export interface Layout {
  readonly rooms: number;
  /** Servers that hold the crowd, by their ports. */
  readonly ports: number;
}

/** The room of a connection. */
export function roomOf(index: number, { rooms }: Layout): number {
  return index % rooms;
}

/** The server of a connection: members of a room are spread over all of them. */
export function portOf(index: number, { rooms, ports }: Layout): number {
  return Math.floor(index / rooms) % ports;
}

/** The way of a connection, of so many: members of a room that are on one server take turns. */
export function wayOf(index: number, { rooms, ports }: Layout, ways: number): number {
  return Math.floor(index / (rooms * ports)) % ways;
}

/** The room of a message: they take turns. */
export function roomOfMessage(number: number, { rooms }: Layout): number {
  return number % rooms;
}

/** The connection that publishes in a room: a member of it, and the servers take turns as well. */
export function publisherOf(room: number, { rooms, ports }: Layout): number {
  return room + rooms * (room % ports);
}
