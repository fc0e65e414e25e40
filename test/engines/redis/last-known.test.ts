import { lookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Backbone } from '../../../src/engines/redis/connection/backbone.ts';
import { ClusterView } from '../../simulation/redis/cluster.ts';
import { Lua } from '../../simulation/redis/lua.ts';
import { ModelServer } from '../../simulation/redis/server.ts';
import { served } from '../../simulation/redis/tcp.ts';
import { systemClock } from '../../../src/platform.ts';
import { lastKnown } from '../../../src/engines/redis/connection/last-known.ts';
import { TestClock } from '../../support/test-clock.ts';

/** The DNS of a pod; undefined: that of this machine. */
const faked = vi.hoisted(() => ({ lookUp: undefined as typeof lookup | undefined }));

vi.mock('node:dns', async (importOriginal) => {
  const dns = await importOriginal<{ lookup: typeof lookup }>();
  const lookUp = (...args: Parameters<typeof lookup>): void => (faked.lookUp ?? dns.lookup)(...args);
  return { ...dns, lookup: lookUp };
});

const FIRST = [{ address: '10.0.0.1', family: 4 }];
const SECOND = [{ address: '10.0.0.2', family: 4 }];

function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`getaddrinfo ${code} redis-0`), { code });
}

/** A DNS that answers when the test says so, and a client that asks it. */
class Dns {
  readonly clock = new TestClock();
  /** What the client got, in order. */
  readonly got: unknown[] = [];
  readonly #waiting: ((error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void)[] = [];
  readonly #lookUp = lastKnown(this.clock, (_host, _options, answer) => void this.#waiting.push(answer));

  ask(host = 'redis-0', options: LookupOptions = { all: true }): void {
    this.#lookUp(host, options, (error, address, family) =>
      this.got.push(error === null ? (family ?? address) && [address, family] : error.code),
    );
  }

  answers(addresses: LookupAddress[]): void {
    this.#waiting.shift()?.(null, addresses);
  }

  fails(code: string): void {
    this.#waiting.shift()?.(failure(code), []);
  }
}

describe('A name', () => {
  test('falls back on its last addresses after half a second without an answer of DNS', () => {
    const dns = new Dns();
    dns.ask();
    dns.answers(FIRST);
    dns.ask();
    dns.clock.advance(499);
    expect(dns.got).toHaveLength(1);
    dns.clock.advance(1);
    expect(dns.got).toEqual([
      [FIRST, undefined],
      [FIRST, undefined],
    ]);
  });

  test('falls back on them at once if DNS cannot tell', () => {
    const dns = new Dns();
    dns.ask();
    dns.answers(FIRST);
    dns.ask();
    dns.fails('EAI_AGAIN');
    expect(dns.got.at(-1)).toEqual([FIRST, undefined]);
  });

  test('has no address any more if DNS says that it does not exist', () => {
    const dns = new Dns();
    dns.ask();
    dns.answers(FIRST);
    dns.ask();
    dns.fails('ENOTFOUND');
    expect(dns.got.at(-1)).toBe('ENOTFOUND');
  });

  test('that was never found waits for the answer of DNS', () => {
    const dns = new Dns();
    dns.ask();
    dns.clock.advance(60_000);
    expect(dns.got).toEqual([]);
    dns.fails('EAI_AGAIN');
    dns.ask('redis-1');
    dns.answers(SECOND);
    expect(dns.got).toEqual(['EAI_AGAIN', [SECOND, undefined]]);
  });

  test('gets the address of a late answer the next time, and is answered only once', () => {
    const dns = new Dns();
    dns.ask();
    dns.answers(FIRST);
    dns.ask();
    dns.clock.advance(500);
    dns.answers(SECOND);
    expect(dns.got).toHaveLength(2);
    dns.ask();
    dns.clock.advance(500);
    expect(dns.got.at(-1)).toEqual([SECOND, undefined]);
  });

  test('gives one address to a caller that asks for one', () => {
    const dns = new Dns();
    dns.ask('redis-0', {});
    dns.answers(FIRST);
    expect(dns.got).toEqual([['10.0.0.1', 4]]);
  });
});

test('by default Node looks names up', async () => {
  const expected = await new Promise((resolve) =>
    lookup('localhost', { all: true }, (_, all) => resolve(all)),
  );
  const found = await new Promise((resolve) =>
    lastKnown(new TestClock())('localhost', { all: true }, (_, all) => resolve(all)),
  );
  expect(found).toEqual(expected);
});

test('A pod that has reached a server of a Cluster by its name reaches it again while DNS is unavailable', async () => {
  const view = new ClusterView();
  const servers: ModelServer[] = [];
  const address = { host: 'redis-0', port: await served(() => servers[0] as ModelServer) };
  const [now, random] = [Date.now, Math.random];
  const server = new ModelServer({ name: 'redis-0', address, now, random, lua: new Lua(), cluster: view });
  servers.push(server);
  let isUp = true;
  let asked = 0;
  const lookUp = (_host: string, _options: LookupOptions, answer: (...args: unknown[]) => void): void => {
    asked += 1;
    if (isUp) answer(null, [{ address: '127.0.0.1', family: 4 }]);
    else answer(failure('EAI_AGAIN'), []);
  };
  faked.lookUp = lookUp as typeof lookup;
  const backbone = new Backbone({
    address: { cluster: [address], master: '', db: 0 },
    prefix: '',
    pod: 'pod',
    leaseMs: 10_000,
    startWaitMs: 0,
    scripts: [],
    clock: systemClock,
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
  onTestFinished(() => {
    backbone.stop();
    faked.lookUp = undefined;
  });
  // Its slots are not assigned yet, so the pod asks it again and again, each time over a new connection.
  await backbone.start();
  await vi.waitFor(() => expect(asked).toBeGreaterThan(1), 5_000);
  isUp = false;
  view.assign(server, 0, 16_383);
  await vi.waitFor(() => expect(backbone.placement.up).toBe(true), 10_000);
});
