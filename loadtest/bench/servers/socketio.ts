import { createAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';
import { listen } from './listen.ts';

/** Socket.IO with the settings it comes with, over WebSocket only; with its Redis adapter where REDIS_URL says so. */
const io = new Server(listen(), { transports: ['websocket'], serveClient: false });
const url = process.env['REDIS_URL'];
if (url !== undefined) io.adapter(createAdapter(new Redis(url), new Redis(url)));
io.on('connection', (socket) => {
  const room = String(socket.handshake.query['room']);
  void socket.join(room);
  socket.on('chat', (data: unknown) => io.to(room).emit('chat', data));
});
