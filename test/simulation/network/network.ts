import type { Kernel, Strand } from '../kernel/kernel.ts';
import { randomFor } from '../kernel/seed.ts';
import { SimulatedSocket } from './socket.ts';
import { type Endpoint, type Use, Wire, type Way } from './wire.ts';
import net from 'node:net';
import { syncBuiltinESMExports } from 'node:module';

/** Some of the connections between pods and servers, and how they fare. What is left out means all. */
export interface Impairment {
  readonly pod?: string | undefined;
  readonly server?: string | undefined;
  readonly use?: Use | undefined;
  readonly way?: Way | undefined;
  /** Nothing comes through until it is over; or everything comes so many milliseconds late. */
  readonly how: 'stalled' | number;
}

/** Everything that connects pods with servers; it takes the place of `net.createConnection`. */
export class Network {
  readonly #kernel: Kernel;
  readonly #seed: string;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #wires = new Set<Wire>();
  readonly #impairments = new Set<Impairment>();
  readonly #counts = new Map<string, number>();
  readonly #writes = new Map<Strand, number>();

  constructor(kernel: Kernel, seed: string) {
    this.#kernel = kernel;
    this.#seed = seed;
  }

  add(endpoint: Endpoint): void {
    this.#endpoints.set(`${endpoint.address.host}:${endpoint.address.port}`, endpoint);
  }

  /** From now on `net.createConnection` leads here, for whoever imports it by its name as well; the answer puts it back. */
  install(): () => void {
    const original = net.createConnection;
    const connect = (to: { host?: string; port: number }): SimulatedSocket => this.#connect(to);
    const put = (create: typeof net.createConnection): void => {
      net.createConnection = create;
      syncBuiltinESMExports();
    };
    put(connect as unknown as typeof net.createConnection);
    return () => put(original);
  }

  /** The answer ends it. */
  impair(impairment: Impairment): () => void {
    this.#impairments.add(impairment);
    for (const wire of this.#wires) this.#apply(wire);
    return () => {
      this.#impairments.delete(impairment);
      for (const wire of this.#wires) this.#apply(wire);
    };
  }

  /** Breaks connections that are there. */
  reset(which: Omit<Impairment, 'how'>): void {
    for (const wire of this.#wires) if (concerns(which, wire)) wire.reset();
  }

  /** How often a pod has written to servers. */
  writesOf(pod: Strand): number {
    return this.#writes.get(pod) ?? 0;
  }

  /** A pod is dead: its system ends its connections. */
  podDied(pod: Strand): void {
    for (const wire of this.#wires) if (wire.pod === pod) wire.destroy();
  }

  #connect({ host = '', port }: { host?: string; port: number }): SimulatedSocket {
    const { current: pod } = this.#kernel;
    const endpoint = this.#endpoints.get(`${host}:${port}`);
    if (endpoint === undefined) throw new Error(`the model has nothing at ${host}:${port}`);
    const path = `${pod.name}>${endpoint.name}`;
    const count = (this.#counts.get(path) ?? 0) + 1;
    this.#counts.set(path, count);
    const random = randomFor(this.#seed, `${path}#${count}`);
    return new SimulatedSocket(
      (user) => {
        const wrote = (): void => void this.#writes.set(pod, this.writesOf(pod) + 1);
        const over = (wire: Wire): void => void this.#wires.delete(wire);
        const wire = new Wire({ kernel: this.#kernel, random, pod, endpoint, user, over, wrote });
        this.#wires.add(wire);
        this.#apply(wire);
        wire.open();
        return wire;
      },
      (wire, use) => {
        wire.use = use;
        this.#apply(wire);
      },
    );
  }

  #apply(wire: Wire): void {
    for (const way of ['to-server', 'to-pod'] as const) {
      let stalled = false;
      let extraMs = 0;
      for (const impairment of this.#impairments) {
        if (!concerns(impairment, wire) || (impairment.way ?? way) !== way) continue;
        if (impairment.how === 'stalled') stalled = true;
        else extraMs += impairment.how;
      }
      wire.impair(way, { stalled, extraMs });
    }
  }
}

function concerns({ pod, server, use }: Omit<Impairment, 'how'>, wire: Wire): boolean {
  return (
    (pod ?? wire.pod.name) === wire.pod.name &&
    (server ?? wire.endpoint.name) === wire.endpoint.name &&
    (use ?? wire.use) === wire.use
  );
}
