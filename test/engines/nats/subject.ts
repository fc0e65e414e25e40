import { type NatsServer, startNats } from '../../support/stack/nats-server.ts';
import { CLAIM_MS } from '../../../src/engines/shared/terms.ts';
import type { Clock } from '../../../src/core/ports/clock.ts';
import { NatsBackbone } from '../../../src/engines/nats/connection/backbone.ts';
import { systemClock } from '../../../src/platform.ts';
import { vi } from 'vitest';

const log = { debug() {}, info() {}, warn() {}, error: (fields: object) => console.error(fields) };

export interface PodOptions {
  readonly clock?: Clock;
  readonly leaseMs?: number;
  /** Where it finds NATS, if not at the server itself. */
  readonly ports?: readonly number[];
  readonly replicas?: number;
  readonly presenceTtlMs?: number;
}

/** A real nats-server and pods on it; `empty` gives the next pods another prefix, under which there is nothing yet. */
export class NatsSubject {
  #server: NatsServer | undefined;
  #prefixes = 0;
  #pods = 0;
  readonly #opened: NatsBackbone[] = [];
  /** How much time had passed when a claim was first seen. */
  readonly #claimedAt = new Map<number, number>();
  #passed = 0;

  async start(): Promise<void> {
    this.#server = await startNats();
  }

  async stop(): Promise<void> {
    await this.close();
    await this.#server?.discard();
  }

  get server(): NatsServer {
    if (this.#server === undefined) throw new Error('the server has not been started');
    return this.#server;
  }

  get prefix(): string {
    return `test${this.#prefixes}`;
  }

  empty(): void {
    this.#prefixes += 1;
    this.#claimedAt.clear();
  }

  /** So much time passes for claims, whose age NATS itself looks after: those go whose time is over. */
  async ageClaims(ms: number): Promise<void> {
    const last = this.#opened.at(-1);
    const stream = last?.names.stream('claims') ?? '';
    await last?.link.call(async ({ jsm }) => {
      const { state } = await jsm.streams.info(stream);
      for (let seq = state.first_seq; seq <= state.last_seq; seq += 1)
        if (!this.#claimedAt.has(seq)) this.#claimedAt.set(seq, this.#passed);
      this.#passed += ms;
      for (const [seq, at] of this.#claimedAt) {
        if (this.#passed - at < CLAIM_MS) continue;
        this.#claimedAt.set(seq, Number.POSITIVE_INFINITY);
        await jsm.streams.deleteMessage(stream, seq);
      }
    });
  }

  /** Another pod, not started yet. */
  backbone({
    clock = systemClock,
    leaseMs = 10_000,
    ports = [this.server.port],
    replicas = 1,
    presenceTtlMs = 60_000,
  }: PodOptions = {}): NatsBackbone {
    const backbone = new NatsBackbone({
      address: { servers: ports.map((port) => `127.0.0.1:${port}`) },
      prefix: this.prefix,
      replicas,
      pod: `pod${(this.#pods += 1)}`,
      leaseMs,
      startWaitMs: 2_000,
      presenceTtlMs,
      clock,
      log,
    });
    this.#opened.push(backbone);
    return backbone;
  }

  /** Resolves once the pod holds its lease, without which it may keep nothing. */
  async settled({ lease, leases }: NatsBackbone): Promise<void> {
    await vi.waitFor(
      async () => {
        if (!(await leases.lives(lease.name))) throw new Error('no lease yet');
      },
      { timeout: 20_000 },
    );
  }

  /** Ends all pods at once, as if they were killed. */
  async close(): Promise<void> {
    await Promise.all(this.#opened.splice(0).map((backbone) => backbone.stop()));
  }
}
