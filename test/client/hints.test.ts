import { onTestFinished, expect, test, vi } from 'vitest';
import { platformWith } from '../../src/client/platform.ts';
import { settled } from './fake-clock.ts';
import { fakeClient } from './fake-platform.ts';

async function connected() {
  const it = fakeClient();
  await settled();
  it.platform.newest.welcomes(1_000);
  return it;
}

test.each(['worse', 'better'] as const)(
  'told that things are %s it has a connected line prove itself',
  async (hint) => {
    const { clock, platform, client } = await connected();
    platform.hints(hint);
    expect(platform.newest.sent).toEqual([{ type: 'ping' }]);
    await clock.advance(4_999);
    platform.newest.says({ type: 'pong' });
    await clock.advance(1);
    expect(client.state).toBe('connected');
  },
);

test('a line that does not prove itself within five seconds is given up', async () => {
  const { clock, platform, client, made } = await connected();
  platform.hints('worse');
  await clock.advance(5_000);
  expect(client.state).toBe('reconnecting');
  await clock.advance(500);
  expect(made).toHaveLength(2);
});

test('in better times it does not wait for the end of a long backoff', async () => {
  const { clock, platform, made } = await connected();
  for (let n = 0; n < 6; n += 1) {
    platform.newest.ends();
    await settled();
    await clock.advance(clock.due[0] ?? 0);
  }
  platform.newest.ends();
  await settled();
  expect(clock.due).toEqual([15_000]);
  platform.hints('worse');
  expect(clock.due).toEqual([15_000]);
  platform.hints('better');
  expect(clock.due).toEqual([500]);
  await clock.advance(500);
  expect(made).toHaveLength(8);
  platform.newest.ends();
  await settled();
  expect(clock.due).toEqual([500]);
});

test('what comes soon anyway is not put off by better times', async () => {
  const { clock, platform } = await connected();
  platform.newest.says({ type: 'system', event: 'drain', data: { reconnect_after_ms: 100 } });
  platform.newest.ends(1012);
  platform.hints('better');
  expect(clock.due).toEqual([100]);
});

test('while it is about to connect no hint disturbs it', async () => {
  const { platform, clock, made } = fakeClient();
  await settled();
  for (const hint of ['worse', 'better'] as const) platform.hints(hint);
  expect(clock.due).toEqual([10_000]);
  expect(made).toHaveLength(1);
});

test('a clock that was held up proves nothing against a line', async () => {
  const { clock, platform, client } = await connected();
  clock.sleeps(5_000_000);
  await clock.advance(0);
  expect(platform.newest.sent).toEqual([{ type: 'ping' }]);
  platform.newest.says({ type: 'pong' });
  await clock.advance(5_000);
  expect(client.state).toBe('connected');
});

test('after it has slept a line that is silent is given up soon', async () => {
  const { clock, client } = await connected();
  clock.sleeps(5_000_000);
  await clock.advance(5_000);
  expect(client.state).toBe('reconnecting');
});

/** What a browser has: events of the window and of the document. */
function browser() {
  const page = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  const window = new EventTarget();
  vi.stubGlobal('document', page);
  vi.stubGlobal('addEventListener', window.addEventListener.bind(window));
  vi.stubGlobal('removeEventListener', window.removeEventListener.bind(window));
  onTestFinished(() => void vi.unstubAllGlobals());
  return { page, window };
}

test('in a browser it listens to offline, online and the page being shown, until it has enough', () => {
  const { page, window } = browser();
  const heard: string[] = [];
  const off = platformWith({}).watch((hint) => heard.push(hint));
  window.dispatchEvent(new Event('offline'));
  window.dispatchEvent(new Event('online'));
  page.visibilityState = 'hidden';
  page.dispatchEvent(new Event('visibilitychange'));
  expect(heard).toEqual(['worse', 'better']);
  page.visibilityState = 'visible';
  page.dispatchEvent(new Event('visibilitychange'));
  expect(heard).toEqual(['worse', 'better', 'better']);
  off();
  window.dispatchEvent(new Event('online'));
  page.dispatchEvent(new Event('visibilitychange'));
  expect(heard).toHaveLength(3);
});

test('where there is no WebSocket it says what to do', () => {
  vi.stubGlobal('WebSocket', undefined);
  onTestFinished(() => void vi.unstubAllGlobals());
  expect(() => platformWith({})).toThrow(/Node 22 or later.*platform\.WebSocket/);
});
