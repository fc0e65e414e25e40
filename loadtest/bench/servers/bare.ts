import { framer } from '../../../src/ws/frame.ts';
import { listenForSockets } from './sockets.ts';

/** The least a fan-out can do: a message is framed once, and every socket gets one write per message. */
const rooms = listenForSockets((room, payload) => {
  const frame = framer.frame(payload.toString());
  for (const socket of rooms.in(room)) socket.write(frame);
});
