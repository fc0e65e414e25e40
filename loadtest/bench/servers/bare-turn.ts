import type { Frame } from '../../../src/core/ports/socket.ts';
import { framer } from '../../../src/ws/frame.ts';
import { listenForSockets } from './sockets.ts';

let queued: Frame[] = [];

/** As bare.ts, but what comes in one turn of the event loop leaves as one buffer, in one write per socket. */
const sockets = listenForSockets((payload) => {
  if (queued.length === 0) setImmediate(flush);
  queued.push(framer.frame(payload.toString()));
});

function flush(): void {
  const bytes = framer.join(queued);
  queued = [];
  for (const socket of sockets) socket.write(bytes);
}
