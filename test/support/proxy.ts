import { createServer, type AddressInfo } from 'node:net';
import type { Concerns, Direction, Weather } from './proxy-weather.ts';
import { Line } from './proxy-line.ts';

const BOTH: readonly Direction[] = ['to-server', 'to-client'];

/** A network between clients and a server that can break. */
export interface Proxy {
  readonly port: number;
  /** Resets every connection that is open now; new ones pass. */
  breakAll(): void;
  /**
   * Like a network that loses every packet: connections stay open, also when the other end closes, and nothing passes
   * any more, in the given direction or in both. New connections are accepted and hear nothing. With `concerns` only
   * those of which it says so, until `resume`.
   */
  silence(direction?: Direction, concerns?: Concerns): void;
  /** What goes that way arrives so much later, in order; with `concerns` as above. */
  delay(direction: Direction, ms: number, concerns?: Concerns): void;
  /**
   * Everything passes again, and in time. What was sent during the silence was held and comes now, in order, as TCP would send it
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
  const weather: Weather = { silent: new Set(), delayMs: new Map(), concerns: undefined };
  let leadsTo = target;
  // One that is closed on one side only is passed on as such.
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const line: Line = new Line(near, leadsTo, weather, () => lines.delete(line));
    lines.add(line);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const breakAll = (): void => {
    for (const line of lines) line.break();
  };
  const update = (): void => {
    for (const line of lines) line.update();
  };
  return {
    port: (server.address() as AddressInfo).port,
    breakAll,
    silence: (direction, concerns) => {
      weather.concerns = concerns;
      for (const one of direction === undefined ? BOTH : [direction]) weather.silent.add(one);
      update();
    },
    delay: (direction, ms, concerns) => {
      weather.concerns = concerns;
      weather.delayMs.set(direction, ms);
    },
    resume: () => {
      weather.silent.clear();
      weather.delayMs.clear();
      weather.concerns = undefined;
      update();
    },
    leadTo: (port) => void (leadsTo = port),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        breakAll();
      }),
  };
}
