import type { Frame } from '../../../src/core/ports/socket.ts';
import { framer } from '../../../src/ws/frame.ts';
import { listenForSockets } from './sockets.ts';

let queued = new Map<string, Frame[]>();

/** As bare.ts, but what comes in one turn of the event loop leaves as one buffer, in one write per socket. */
const rooms = listenForSockets((room, payload) => {
  if (queued.size === 0) setImmediate(flush);
  const frames = queued.get(room) ?? [];
  frames.push(framer.frame(payload.toString()));
  queued.set(room, frames);
});

function flush(): void {
  const all = queued;
  queued = new Map();
  for (const [room, frames] of all) {
    const bytes = framer.join(frames);
    for (const socket of rooms.in(room)) socket.write(bytes);
  }
}
