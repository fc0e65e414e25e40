import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { RawData } from 'ws';
import { listen } from './listen.ts';
import { Rooms, roomOfPath } from './rooms.ts';

/**
 * The sockets of everybody connected. `ws` does the handshake and reads what a client sends, as it does for the
 * other contenders; what is written goes past it, straight to the socket.
 */
export function listenForSockets(publish: (room: string, payload: Buffer) => void): Rooms<Duplex> {
  const rooms = new Rooms<Duplex>();
  const handshake = new WebSocketServer({ noServer: true, clientTracking: false });
  listen().on('upgrade', (request, socket, head) => {
    handshake.handleUpgrade(request, socket, head, (client) => {
      const room = roomOfPath(request.url);
      rooms.add(room, socket);
      client.on('message', (data: RawData) => publish(room, data as Buffer));
      client.on('error', () => socket.destroy());
      client.on('close', () => rooms.remove(room, socket));
    });
  });
  return rooms;
}
