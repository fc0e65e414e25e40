import { WebSocketServer } from 'ws';
import type { RawData, WebSocket } from 'ws';
import { connectBus } from './bus.ts';
import { listen } from './listen.ts';
import { Rooms, roomOfPath } from './rooms.ts';

/** What people write first: `ws`, a `send` of the text to every member of the room, and a channel of Redis for each. */
const rooms = new Rooms<WebSocket>();
const bus = connectBus((room, text) => {
  for (const member of rooms.in(room)) member.send(text);
});
new WebSocketServer({ server: listen() }).on('connection', (client, request) => {
  const room = roomOfPath(request.url);
  if (rooms.add(room, client)) bus.subscribe(room);
  client.on('message', (data: RawData) => bus.publish(room, (data as Buffer).toString()));
  client.on('error', () => client.terminate());
  client.on('close', () => rooms.remove(room, client));
});
