import { createServer, type AddressInfo } from 'node:net';
import { type Direction, Line } from './proxy-line.ts';

const BOTH: readonly Direction[] = ['to-server', 'to-client'];

/** A network between clients and a server that can break. */
export interface Proxy {
  readonly port: number;
  /** Resets every connection that is open now; new ones pass. */
  breakAll(): void;
  /**
   * Like a network that loses every packet: connections stay open, also when the other end closes, and nothing passes
   * any more, in the given direction or in both. New connections are accepted and hear nothing.
   */
  silence(direction?: Direction): void;
  /**
   * Everything passes again. What was sent during the silence was held and comes now, in order, as TCP would send it
   * again; so does the end of a connection that was closed meanwhile.
   */
  resume(): void;
  /** New connections are passed on to this port; those that are open stay where they are. */
  leadTo(target: number): void;
  stop(): Promise<void>;
}

/** Passes TCP connections on to a port of this host. */
export async function startProxy(target: number): Promise<Proxy> {
  const lines = new Set<Line>();
  const silent = new Set<Direction>();
  let leadsTo = target;
  // One that is closed on one side only is passed on as such.
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const line: Line = new Line(near, leadsTo, silent, () => lines.delete(line));
    lines.add(line);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const breakAll = (): void => {
    for (const line of lines) line.break();
  };
  return {
    port: (server.address() as AddressInfo).port,
    breakAll,
    silence: (direction) => {
      for (const one of direction === undefined ? BOTH : [direction]) silent.add(one);
      for (const line of lines) line.update();
    },
    resume: () => {
      silent.clear();
      for (const line of lines) line.update();
    },
    leadTo: (port) => void (leadsTo = port),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        breakAll();
      }),
  };
}
