import { describe, expect, test } from 'vitest';
import { HookRunner, TIME_LIMIT_MS } from '../../src/hooks/runner.ts';
import type { ConnectionView, Submission, HookDecision } from '../../src/core/ports/hooks.ts';
import { type HookMessage, Refusal } from '../../src/hooks/types.ts';
import { TestClock } from '../support/test-clock.ts';

const WHO: ConnectionView = { id: 'c1', userId: 'alice', rooms: ['r', 's'] };
const ARRIVAL = { occasion: 'connect', id: 'c1', userId: 'alice' } as const;
const WHAT: Submission = {
  type: 'chat',
  room: 'r',
  event: 'said',
  data: '{"text":"a secret"}',
  ephemeral: false,
};
const INTERNAL = { kind: 'refuse', rejection: { code: 'internal' } };

interface Bench {
  readonly runner: HookRunner;
  readonly clock: TestClock;
  /** Log lines as JSON. */
  readonly lines: string[];
  readonly judge: () => HookDecision | Promise<HookDecision>;
}

function bench(module: object): Bench {
  const clock = new TestClock();
  const lines: string[] = [];
  const note = (fields: object, message: string): void => void lines.push(JSON.stringify([fields, message]));
  const log = { debug: note, info: note, warn: note, error: note };
  const runner = new HookRunner(module, { clock, log });
  const judge = (): HookDecision | Promise<HookDecision> =>
    runner.publishing?.(WHO, WHAT, undefined) ?? { kind: 'suppress' };
  return { runner, clock, lines, judge };
}

const never = (): Promise<never> => new Promise(() => undefined);

describe('onMessage', () => {
  test('is absent if the module does not export it', () => {
    expect(bench({ onConnect() {} }).runner.publishing).toBeUndefined();
  });

  test('sees a frozen view of the connection and the message with its data parsed', () => {
    const seen: unknown[] = [];
    const { judge } = bench({ onMessage: (...all: unknown[]) => void seen.push(...all) });
    void judge();
    expect(seen).toEqual([
      { id: 'c1', userId: 'alice', rooms: ['r', 's'] },
      { type: 'chat', room: 'r', event: 'said', data: { text: 'a secret' }, ephemeral: false },
    ]);
    expect([Object.isFrozen(seen[0]), Object.isFrozen((seen[0] as ConnectionView).rooms)]).toEqual([
      true,
      true,
    ]);
  });

  test('that returns nothing leaves the message unchanged, whatever it did to its copy', async () => {
    const spoil = (_: unknown, message: HookMessage): void => {
      message.data = 'spoilt';
      message.type = 'notification';
    };
    const { runner, judge } = bench({ onMessage: spoil });
    expect(judge()).toEqual({ kind: 'publish', content: WHAT });
    const later = bench({ onMessage: async (_: unknown, message: HookMessage) => spoil(_, message) });
    expect(await later.judge()).toEqual({ kind: 'publish', content: WHAT });
    expect(runner.figures.replaced).toBe(0);
  });

  test.each<[string, (message: HookMessage) => unknown, object]>([
    ['data', () => ({ data: [1, null] }), { type: 'chat', event: 'said', data: '[1,null]' }],
    ['data by null', () => ({ data: null }), { type: 'chat', event: 'said', data: 'null' }],
    ['type', () => ({ type: 'notification' }), { type: 'notification', event: 'said', data: WHAT.data }],
    ['event', () => ({ event: 'heard' }), { type: 'chat', event: 'heard', data: WHAT.data }],
    ['event by none', () => ({ event: null }), { type: 'chat', event: undefined, data: WHAT.data }],
    ['nothing', () => ({}), { type: 'chat', event: 'said', data: WHAT.data }],
    ['a spread', (message) => ({ ...message, data: 1 }), { type: 'chat', event: 'said', data: '1' }],
    [
      'the message itself, changed',
      (message) => Object.assign(message, { data: 2 }),
      { type: 'chat', event: 'said', data: '2' },
    ],
  ])('replaces %s', async (_, answer, content) => {
    const { runner, judge } = bench({ onMessage: (_: unknown, message: HookMessage) => answer(message) });
    expect(judge()).toEqual({ kind: 'publish', content });
    const later = bench({ onMessage: async (_: unknown, message: HookMessage) => answer(message) });
    expect(await later.judge()).toEqual({ kind: 'publish', content });
    expect(runner.figures.replaced).toBe(1);
  });

  test('suppresses by null', async () => {
    const { runner, judge } = bench({ onMessage: () => null });
    expect(judge()).toEqual({ kind: 'suppress' });
    expect(await bench({ onMessage: async () => null }).judge()).toEqual({ kind: 'suppress' });
    expect(runner.figures.suppressed).toBe(1);
  });

  test.each<[string, unknown, object]>([
    ['a Refusal', new Refusal('not here'), { code: 'forbidden', error: 'not here' }],
    ['a Refusal with a code', new Refusal('slow', 'rate_limited'), { code: 'rate_limited', error: 'slow' }],
    [
      'a plain object',
      { code: 'invalid_message', error: 'no text' },
      { code: 'invalid_message', error: 'no text' },
    ],
    [
      'one without a sentence',
      { code: 'not_in_room' },
      { code: 'not_in_room', error: 'join the room first' },
    ],
    ['one without a code', { error: 'go away' }, { code: 'forbidden', error: 'go away' }],
    [
      'an Error with both fields',
      Object.assign(new Error('x'), { code: 'unavailable', error: 'later' }),
      { code: 'unavailable', error: 'later' },
    ],
  ])('refuses by throwing %s', async (_, thrown, rejection) => {
    const { runner, judge, lines } = bench({
      onMessage() {
        throw thrown;
      },
    });
    expect(judge()).toEqual({ kind: 'refuse', rejection });
    expect(await bench({ onMessage: () => Promise.reject(thrown as Error) }).judge()).toEqual({
      kind: 'refuse',
      rejection,
    });
    expect([[...runner.figures.refused], lines]).toEqual([[['onMessage', 1]], []]);
  });
});

describe('onMessage that fails costs its publisher only this one message:', () => {
  const throwing = (thrown: unknown) => () => {
    throw thrown;
  };
  const circular: { self?: unknown } = {};
  circular.self = circular;

  test.each<[string, (message: HookMessage) => unknown]>([
    ['an error', throwing(new Error('a secret'))],
    ['an error with a code of its own', throwing(Object.assign(new Error('a secret'), { code: 'ENOENT' }))],
    [
      'an error with a code of the table but no sentence',
      throwing(Object.assign(new Error(), { code: 'internal' })),
    ],
    ['a code that is none', throwing({ code: 'toString', error: 'a secret' })],
    ['a string', throwing('a secret')],
    ['nothing', throwing(undefined)],
    ['what cannot even be looked at', throwing(new Proxy({}, { get: throwing('a secret') }))],
    ['an error that cannot be looked at', throwing(new Proxy(new Error('a secret'), { get: throwing('x') }))],
    ['a string for an answer', ({ data }) => JSON.stringify(data)],
    ['true for an answer', () => true],
    ['an array for an answer', () => []],
    ['another room', (message) => ({ ...message, room: 'other' })],
    ['an addressee', (message) => ({ ...message, to: 'bob' })],
    ['another ephemeral', (message) => ({ ...message, ephemeral: true })],
    ['another author', () => ({ from: 'bob' })],
    ['an id', () => ({ id: 'x' })],
    ['an unknown type', () => ({ type: 'system' })],
    ['a type with a quote', () => ({ type: 'chat","from":"bob' })],
    ['an event that is a number', () => ({ event: 5 })],
    ['data that is no JSON', () => ({ data: () => 1 })],
    ['data with a bigint', () => ({ data: 1n })],
    ['data that bites its tail', () => ({ data: circular })],
    [
      'a getter that throws',
      () => ({
        get data() {
          throw new Error('a secret');
        },
      }),
    ],
    ['data whose toJSON throws', () => ({ data: { toJSON: throwing(new Error('a secret')) } })],
  ])('%s', async (_, answer) => {
    const atOnce = bench({ onMessage: (_: unknown, message: HookMessage) => answer(message) });
    const later = bench({ onMessage: async (_: unknown, message: HookMessage) => answer(message) });
    for (const { runner, judge, lines } of [atOnce, later]) {
      expect(await judge()).toMatchObject(INTERNAL);
      expect([...runner.figures.failed]).toEqual([['onMessage', 1]]);
      expect(lines).toHaveLength(1);
      expect(lines[0]).toContain('"hook":"onMessage","connection":"c1"');
      expect(lines[0]).not.toContain('a secret');
    }
  });

  test('the log says where an error was thrown', () => {
    const { judge, lines } = bench({ onMessage: throwing(new TypeError('line one\n    at a secret')) });
    void judge();
    expect(lines[0]).toContain('threw TypeError');
    expect(lines[0]).toContain('runner.test.ts');
    expect(lines[0]).not.toContain('a secret');
  });

  test('no answer within the time limit; a later answer is ignored', async () => {
    let answer: (error: Error) => void = () => undefined;
    const { runner, clock, judge, lines } = bench({
      onMessage: () => new Promise((_, reject) => (answer = reject)),
    });
    const verdict = judge();
    clock.advance(TIME_LIMIT_MS - 1);
    expect([...runner.figures.failed]).toEqual([['onMessage', 0]]);
    clock.advance(1);
    expect(await verdict).toMatchObject(INTERNAL);
    expect(lines[0]).toContain('no answer within 1000 ms');
    answer(new Error('too late'));
    await runner.stop();
    expect([...runner.figures.failed]).toEqual([['onMessage', 1]]);
  });

  test('the next message has its own hook call', async () => {
    let calls = 0;
    const { clock, judge } = bench({ onMessage: () => ((calls += 1) === 1 ? never() : undefined) });
    const first = judge();
    clock.advance(TIME_LIMIT_MS);
    expect(await first).toMatchObject(INTERNAL);
    expect(judge()).toEqual({ kind: 'publish', content: WHAT });
  });
});

describe('onConnect', () => {
  test('accepts the connection if it returns anything, or if it is absent', async () => {
    for (const module of [{}, { onConnect() {} }, { onConnect: async () => false }]) {
      expect(await bench(module).runner.connecting(ARRIVAL)).toEqual({ kind: 'allow', grant: {} });
    }
  });

  test('refuses the connection by throwing a refusal, and by failing', async () => {
    const refusing = bench({ onConnect: () => Promise.reject(new Refusal('banned')) });
    expect(await refusing.runner.connecting(ARRIVAL)).toEqual({
      kind: 'refuse',
      by: 'hook',
      rejection: { code: 'forbidden', error: 'banned' },
    });
    expect([...refusing.runner.figures.refused]).toEqual([['onConnect', 1]]);
    const failing = bench({ onConnect: () => Promise.reject(new Error()) });
    expect(await failing.runner.connecting(ARRIVAL)).toMatchObject(INTERNAL);
    const hanging = bench({ onConnect: never });
    const answer = hanging.runner.connecting(ARRIVAL);
    hanging.clock.advance(TIME_LIMIT_MS);
    expect(await answer).toMatchObject(INTERNAL);
    expect([...hanging.runner.figures.failed]).toEqual([['onConnect', 1]]);
  });
});

describe('onDisconnect', () => {
  test('receives the close code, after onMessage has finished for the connection', async () => {
    const events: string[] = [];
    let answer: () => void = () => undefined;
    const { runner, judge } = bench({
      onMessage: () =>
        new Promise<void>((resolve) => (answer = resolve)).then(() => void events.push('message')),
      onDisconnect: ({ id, rooms }: ConnectionView, { code }: { code: number }) =>
        void events.push(`${id} left ${rooms.join()} with ${code}`),
    });
    void judge();
    runner.disconnected(WHO, 1006);
    runner.disconnected({ ...WHO, id: 'c2' }, 1000);
    expect(events).toEqual(['c2 left r,s with 1000']);
    answer();
    await runner.stop();
    expect(events).toEqual(['c2 left r,s with 1000', 'message', 'c1 left r,s with 1006']);
  });

  test('affects nothing if it fails; stop waits for it, up to the time limit', async () => {
    const { runner, clock, lines } = bench({ onDisconnect: never });
    runner.disconnected(WHO, 1000);
    const stopped = runner.stop();
    clock.advance(TIME_LIMIT_MS);
    await stopped;
    expect(lines).toHaveLength(1);
    const throwing = bench({
      onDisconnect() {
        throw new Error();
      },
    });
    throwing.runner.disconnected(WHO, 1000);
    expect([...throwing.runner.figures.failed]).toEqual([['onDisconnect', 1]]);
  });
});
