import { Server } from 'socket.io';
import { listen } from './listen.ts';

/** Socket.IO with the settings it comes with, over WebSocket only; everybody is in one room. */
const io = new Server(listen(), { transports: ['websocket'], serveClient: false });
io.on('connection', (socket) => {
  void socket.join('bench');
  socket.on('chat', (data: unknown) => io.to('bench').emit('chat', data));
});
