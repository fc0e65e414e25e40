import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { onTestFinished } from 'vitest';
import type { ModelConnection } from './server.ts';

/** A model server or a Sentinel. */
interface Connectable {
  connect(send: (bytes: Buffer) => void, closed: () => void): ModelConnection;
}

/** Lets clients connect to a model by TCP until the test is over; gives the port. `subject` is asked for each connection. */
export async function served(subject: () => Connectable): Promise<number> {
  const server = createServer((socket) => {
    const connection = subject().connect(
      (bytes) => void socket.write(bytes),
      () => socket.destroy(),
    );
    socket.on('data', (bytes) => connection.receive(bytes));
    socket.on('close', () => connection.close());
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}
