import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { RawData } from 'ws';
import { listen } from './listen.ts';

/**
 * The sockets of everybody connected. `ws` does the handshake and reads what a client sends, as it does for the
 * other contenders; what is written goes past it, straight to the socket.
 */
export function listenForSockets(publish: (payload: Buffer) => void): Set<Duplex> {
  const sockets = new Set<Duplex>();
  const handshake = new WebSocketServer({ noServer: true, clientTracking: false });
  listen().on('upgrade', (request, socket, head) => {
    handshake.handleUpgrade(request, socket, head, (client) => {
      sockets.add(socket);
      client.on('message', (data: RawData) => publish(data as Buffer));
      client.on('error', () => socket.destroy());
      client.on('close', () => sockets.delete(socket));
    });
  });
  return sockets;
}
