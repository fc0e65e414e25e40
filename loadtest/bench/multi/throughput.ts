import { setTimeout as sleep } from 'node:timers/promises';
import { Member, type ServerFrame } from './member.ts';

/** Publications of one publisher that are under way at once. */
const WINDOW = 32;
const WARM_UP_MS = 2_000;
/** What was published has arrived by then. */
const ARRIVED_MS = 10_000;
const RECOVERED_MS = 4_000;

let runs = 0;

export interface ThroughputOptions {
  readonly ports: readonly number[];
  readonly rooms: number;
  readonly seconds: number;
}

export interface Throughput {
  /** Acked in each second. */
  readonly messagesPerSecond: number;
  readonly published: number;
  /** By somebody on another pod, or on the same where there is only one. */
  readonly received: number;
}

/** As many messages as are acked, from one publisher for each room, with one member elsewhere who receives them. */
export async function measureThroughput({ ports, rooms, seconds }: ThroughputOptions): Promise<Throughput> {
  // A ref that was used in a room before is acked and delivered to nobody.
  const run = (runs += 1);
  const pairs = await Promise.all(
    Array.from({ length: rooms }, (_, room) => Pair.join(`run-${run}-room-${room}`, room, ports)),
  );
  for (const pair of pairs) pair.begin();
  await sleep(WARM_UP_MS);
  const before = ackedBy(pairs);
  const from = performance.now();
  await sleep(seconds * 1_000);
  const messagesPerSecond = ((ackedBy(pairs) - before) * 1_000) / (performance.now() - from);
  for (const pair of pairs) pair.end();
  const published = pairs.reduce((sum, pair) => sum + pair.said, 0);
  const received = (): number => pairs.reduce((sum, pair) => sum + pair.received, 0);
  for (let waited = 0; waited < ARRIVED_MS && received() < published; waited += 100) await sleep(100);
  for (const pair of pairs) pair.close();
  // A pod that was given all that it can take refuses connections for a moment.
  await sleep(RECOVERED_MS);
  return { messagesPerSecond, published, received: received() };
}

function ackedBy(pairs: readonly Pair[]): number {
  return pairs.reduce((sum, pair) => sum + pair.acked, 0);
}

/** One who publishes in a room and one who receives there. */
class Pair {
  readonly #publisher: Member;
  readonly #receiver: Member;
  #ends = false;
  said = 0;
  acked = 0;
  received = 0;

  private constructor(publisher: Member, receiver: Member) {
    this.#publisher = publisher;
    this.#receiver = receiver;
    publisher.listen((frame) => this.#answered(frame));
    receiver.listen(({ type }) => {
      if (type === 'chat') this.received += 1;
    });
  }

  static async join(room: string, number: number, ports: readonly number[]): Promise<Pair> {
    const [here = 0, there = here] = [ports[number % ports.length], ports[(number + 1) % ports.length]];
    const { member: publisher } = await Member.join(here, room, { user_id: `p${number}` });
    const { member: receiver } = await Member.join(there, room, { user_id: `r${number}` });
    return new Pair(publisher, receiver);
  }

  begin(): void {
    for (let count = 0; count < WINDOW; count += 1) this.#say();
  }

  end(): void {
    this.#ends = true;
  }

  close(): void {
    this.#publisher.close();
    this.#receiver.close();
  }

  #say(): void {
    this.said += 1;
    this.#publisher.send({ type: 'chat', data: { n: this.said }, ref: String(this.said) });
  }

  #answered({ type }: ServerFrame): void {
    if (type !== 'ack') return;
    this.acked += 1;
    if (!this.#ends) this.#say();
  }
}
