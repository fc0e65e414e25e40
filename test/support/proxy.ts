import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A network between clients and a server that can break. */
export interface Proxy {
  readonly port: number;
  /** Resets every connection that is open now; new ones pass. */
  breakAll(): void;
  stop(): Promise<void>;
}

/** Passes TCP connections on to a port of this host. */
export async function startProxy(target: number): Promise<Proxy> {
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const breakAll = (): void => {
    for (const socket of open) socket.resetAndDestroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    breakAll,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        breakAll();
      }),
  };
}
