import { connect, type Socket } from 'node:net';
import { handshake, text } from './wire.ts';

/**
 * A process of its own for clients that join a room, those of the front row a second one, and then read nothing: one
 * process may not have as many files open as both ends together need. Started with `fork`; says when all have joined.
 */
const [port = '', count = '', frontRow = '', room = '', frontRoom = ''] = process.argv.slice(2);
const AT_ONCE = 100;
/** Each loopback address has its own outgoing ports. */
const ADDRESSES = 8;

/** Nothing else holds on to a socket that is not read. */
const sockets: Socket[] = [];
process.on('disconnect', () => process.exit());

/** Reads up to the answer that says it has joined all, then never again. */
function join(index: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const speaksMessages = index % 2 === 0;
    const socket = connect({
      port: Number(port),
      host: '127.0.0.1',
      localAddress: `127.0.0.${2 + (index % ADDRESSES)}`,
    });
    sockets.push(socket);
    let heard = '';
    socket.on('error', reject);
    socket.once('close', () => reject(new Error(`closed after ${heard.slice(0, 200)}`)));
    socket.write(handshake(speaksMessages ? '/ws?dialect=message' : '/ws?dialect=channel'));
    const rooms = index <= Number(frontRow) ? [room, frontRoom] : [room];
    for (const name of rooms) {
      const fields = speaksMessages ? { type: 'join', room: name } : { type: 'subscribe', channel: name };
      socket.write(text(JSON.stringify(fields)));
    }
    const read = (chunk: Buffer): void => {
      heard += chunk.toString('latin1');
      if ([...heard.matchAll(/"event":"joined"|"type":"subscribed"/g)].length < rooms.length) return;
      socket.pause();
      socket.off('data', read);
      heard = '';
      resolve();
    };
    socket.on('data', read);
  });
}

let next = 0;
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    while (next < Number(count)) {
      next += 1;
      await join(next);
    }
  }),
);
process.send?.('joined');
