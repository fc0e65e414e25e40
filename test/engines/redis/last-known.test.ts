import { lookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { describe, expect, test } from 'vitest';
import { lastKnown } from '../../../src/engines/redis/connection/last-known.ts';
import { TestClock } from '../../support/test-clock.ts';

const FIRST = [{ address: '10.0.0.1', family: 4 }];
const SECOND = [{ address: '10.0.0.2', family: 4 }];

function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`getaddrinfo ${code} redis-0`), { code });
}

/** A DNS that answers when it is told to, and who asks it. */
class Dns {
  readonly clock = new TestClock();
  /** What those who asked got, in order. */
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
  test('that DNS is silent about has the addresses of the last time, soon', () => {
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

  test('that DNS cannot tell has them at once', () => {
    const dns = new Dns();
    dns.ask();
    dns.answers(FIRST);
    dns.ask();
    dns.fails('EAI_AGAIN');
    expect(dns.got.at(-1)).toEqual([FIRST, undefined]);
  });

  test('that there is none of any more has no address', () => {
    const dns = new Dns();
    dns.ask();
    dns.answers(FIRST);
    dns.ask();
    dns.fails('ENOTFOUND');
    expect(dns.got.at(-1)).toBe('ENOTFOUND');
  });

  test('that was never found waits for DNS, and hears what it says', () => {
    const dns = new Dns();
    dns.ask();
    dns.clock.advance(60_000);
    expect(dns.got).toEqual([]);
    dns.fails('EAI_AGAIN');
    dns.ask('redis-1');
    dns.answers(SECOND);
    expect(dns.got).toEqual(['EAI_AGAIN', [SECOND, undefined]]);
  });

  test('that DNS tells of late has the new address the next time, and is answered once', () => {
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

  test('is given as one address to who asks for one', () => {
    const dns = new Dns();
    dns.ask('redis-0', {});
    dns.answers(FIRST);
    expect(dns.got).toEqual([['10.0.0.1', 4]]);
  });
});

test('by default it is Node who is asked', async () => {
  const expected = await new Promise((resolve) =>
    lookup('localhost', { all: true }, (_, all) => resolve(all)),
  );
  const found = await new Promise((resolve) =>
    lastKnown(new TestClock())('localhost', { all: true }, (_, all) => resolve(all)),
  );
  expect(found).toEqual(expected);
});
