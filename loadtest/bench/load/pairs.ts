import { setTimeout as sleep } from 'node:timers/promises';
import type { PairsOptions, Throughput, ThroughputOptions } from './commands.ts';
import { RawSocket } from './raw-socket.ts';

/** Publications of one publisher that are in flight at once. */
const WINDOW = 32;
/** What was published has arrived by then. */
const ARRIVED_MS = 10_000;
const JOIN_TIMEOUT_MS = 15_000;
/** A frame says its type within so many bytes. */
const HEAD_BYTES = 200;

/** A publisher for each room, and one member on another server who receives. Only the message dialect. */
export class Pairs {
  readonly #all: readonly Pair[];

  private constructor(all: readonly Pair[]) {
    this.#all = all;
  }

  static async join({ ports, rooms }: PairsOptions): Promise<Pairs> {
    return new Pairs(
      await Promise.all(Array.from({ length: rooms }, (_, number) => Pair.join(number, ports))),
    );
  }

  /** Publishes as much as is acknowledged. */
  async run({ seconds, leadMs }: ThroughputOptions): Promise<Throughput> {
    const [publishedBefore, receivedBefore] = [this.#sum('published'), this.#sum('received')];
    for (const pair of this.#all) pair.begin();
    await sleep(leadMs);
    const [acked, cpu, from] = [this.#sum('acked'), process.cpuUsage(), performance.now()];
    await sleep(seconds * 1000);
    const passedMs = performance.now() - from;
    const messagesPerSecond = ((this.#sum('acked') - acked) * 1000) / passedMs;
    const { user, system } = process.cpuUsage(cpu);
    for (const pair of this.#all) pair.end();
    const isComplete = (): boolean =>
      this.#sum('received') >= this.#sum('published') && this.#sum('acked') >= this.#sum('published');
    for (const end = performance.now() + ARRIVED_MS; performance.now() < end && !isComplete();)
      await sleep(50);
    return {
      messagesPerSecond,
      published: this.#sum('published') - publishedBefore,
      received: this.#sum('received') - receivedBefore,
      generatorLoad: (user + system) / 1000 / passedMs,
    };
  }

  #sum(count: 'published' | 'acked' | 'received'): number {
    return this.#all.reduce((sum, pair) => sum + pair[count], 0);
  }
}

class Pair {
  readonly #publisher: RawSocket;
  #isEnding = true;
  /** Acknowledged in the read that is being handled: as many are published next, in one write. */
  #free = 0;
  published = 0;
  acked = 0;
  received = 0;

  private constructor(publisher: RawSocket) {
    this.#publisher = publisher;
  }

  static async join(number: number, ports: readonly number[]): Promise<Pair> {
    const [here = 0, there = here] = [ports[number % ports.length], ports[(number + 1) % ports.length]];
    let pair: Pair | undefined;
    await open(there, `/ws/pair-${number}?user_id=r${number}`, (type) => {
      if (type === 'chat' && pair !== undefined) pair.received += 1;
    });
    const publisher = await open(here, `/ws/pair-${number}?user_id=p${number}`, (type) => {
      if (type === 'ack') pair?.acknowledged();
    });
    pair = new Pair(publisher);
    return pair;
  }

  begin(): void {
    this.#isEnding = false;
    this.#publish(WINDOW);
  }

  end(): void {
    this.#isEnding = true;
  }

  acknowledged(): void {
    this.acked += 1;
    this.#free += 1;
    if (this.#free === 1) queueMicrotask(() => this.#publish(this.#free));
  }

  #publish(count: number): void {
    this.#free = 0;
    if (this.#isEnding) return;
    this.#publisher.send(Array.from({ length: count }, () => message((this.published += 1))));
  }
}

function message(number: number): string {
  return `{"type":"chat","data":{"n":${number}},"ref":"${number}"}`;
}

/** Joins, and calls `onFrame` with the type of each frame that follows. */
function open(port: number, path: string, onFrame: (type: string | undefined) => void): Promise<RawSocket> {
  return new Promise((resolve, reject) => {
    const timeout = setTimeout(() => reject(new Error(`${path}: not joined in time`)), JOIN_TIMEOUT_MS);
    let isJoined = false;
    const socket = new RawSocket({
      port,
      path,
      onText: (bytes, start, end) => {
        if (isJoined)
          return onFrame(typeOf(bytes.toString('latin1', start, Math.min(end, start + HEAD_BYTES))));
        if (!bytes.toString('utf8', start, end).includes('"event":"joined"')) return;
        clearTimeout(timeout);
        isJoined = true;
        resolve(socket);
      },
      onClose: ({ error, code }) => {
        clearTimeout(timeout);
        reject(new Error(`${path}: ${error?.message ?? `closed with ${code}`}`));
      },
    });
  });
}

function typeOf(head: string): string | undefined {
  return /"type":"(\w+)"/.exec(head)?.[1];
}
