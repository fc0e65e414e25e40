import { WebSocketServer } from 'ws';
import type { RawData } from 'ws';
import { listen } from './listen.ts';

/** What people write first: `ws`, and a `send` of the text to every client. */
const server = new WebSocketServer({ server: listen() });
server.on('connection', (client) => {
  client.on('message', (data: RawData) => {
    const text = (data as Buffer).toString();
    for (const member of server.clients) member.send(text);
  });
  client.on('error', () => client.terminate());
});
