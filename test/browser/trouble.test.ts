import type { Locator, WebSocketRoute } from 'playwright-core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Proxy, startProxy } from '../support/proxy.ts';
import { PATIENT, SERVER_AWAY, stopClock, useBrowser } from './browser.ts';
import { Person, podForTest, script } from './person.ts';

const open = useBrowser();

async function proxyForTest(port: string): Promise<Proxy> {
  const proxy = await startProxy(Number(port));
  onTestFinished(() => proxy.stop());
  return proxy;
}

function notices({ log }: Person): Locator {
  return log.locator('.notice');
}

function enterAgain({ log }: Person): Locator {
  return log.getByRole('button', { name: 'Enter again' });
}

/** What the server says to the page, which the test may say in its place. */
interface Line {
  /** Whether joins are refused, and why. */
  refusal: object | undefined;
  /** Whether messages of the page are lost on their way. */
  losesMessages: boolean;
  says(frame: object): void;
  /** As a pod that stops. */
  ends(): Promise<void>;
}

async function between({ page }: Person): Promise<Line> {
  let route: WebSocketRoute | undefined;
  const line: Line = {
    refusal: undefined,
    losesMessages: false,
    says: (frame) => route?.send(JSON.stringify(frame)),
    ends: async () => route?.close({ code: 1012 }),
  };
  await page.routeWebSocket(/\/ws/, (socket) => {
    route = socket;
    const server = socket.connectToServer();
    socket.onMessage((text) => {
      const { type, ref } = JSON.parse(String(text)) as { type: string; ref?: string };
      if (type === 'join' && line.refusal !== undefined)
        line.says({ type: 'error', ref, data: line.refusal });
      else if (type !== 'chat' || !line.losesMessages) server.send(text);
    });
  });
  return line;
}

test(
  'an outage that lasts says since when, and that the page goes on trying',
  { timeout: 60_000 },
  async () => {
    const pod = await podForTest();
    const ann = await new Person(await open(pod.url, { expected: SERVER_AWAY })).enters('Ann');
    await pod.kill();
    await ann.state('reconnecting…');
    await ann.isTold(
      /^No connection since \d[^.]*\. The page keeps trying, and sends what you write when it is connected\.$/,
    );
    await ann.state('reconnecting…');
    await podForTest(pod.ports);
    await ann.state('connected');
    await ann.page.locator('#trouble').waitFor({ state: 'hidden' });
  },
);

test('a page whose origin may not connect says that this is why, and what would allow it', async () => {
  const pod = await podForTest({ ALLOWED_ORIGINS: 'https://app.example.com' });
  const expected = /Unexpected response code: 403$|status of 403 /;
  const ann = new Person(await open(pod.url, { expected }));
  await ann.triesToEnter('Ann');
  await ann.isTold(
    new RegExp(`^The server does not let pages of ${pod.url} connect\\..*ALLOWED_ORIGINS.*“self”`),
  );
  const own = await podForTest({ ALLOWED_ORIGINS: 'self' });
  const bob = await new Person(await open(own.url)).enters('Bob');
  await bob.state('connected');
});

test('what could not be recovered is told before what could', async () => {
  const pod = await podForTest({ HISTORY_SIZE: '3' });
  const proxy = await proxyForTest(pod.ports.PORT);
  const ann = new Person(await open(`http://127.0.0.1:${proxy.port}`, { expected: SERVER_AWAY }));
  await ann.page.clock.install();
  await ann.enters('Ann');
  const bob = script(pod, 'Bob').room('lobby');
  await bob.send({ text: 'before' });
  await expect.poll(ann.texts, PATIENT).toEqual(['before']);
  // The page does not come back before all has been said.
  await stopClock(ann.page);
  proxy.breakAll();
  await ann.state('reconnecting…');
  for (const n of [1, 2, 3, 4, 5]) await bob.send({ text: `missed ${n}` });
  await ann.page.clock.resume();
  const rows = ann.log.locator('.rows .text, .rows .notice');
  await expect
    .poll(() => rows.allTextContents(), PATIENT)
    .toEqual([
      'before',
      'You missed messages that the server no longer stores. The messages that are still stored follow.',
      'missed 3',
      'missed 4',
      'missed 5',
    ]);
});

describe('a room', () => {
  test('that lets nobody in says so, and may be tried again', async () => {
    const pod = await podForTest();
    await script(pod, 'Bob').room('lobby').send({ text: 'from before' });
    const ann = new Person(await open(pod.url));
    const line = await between(ann);
    line.refusal = { code: 'forbidden', error: 'no permission for this' };
    await ann.enters('Ann');
    await notices(ann).getByText('You may not enter this room.', { exact: true }).waitFor();
    line.refusal = { code: 'too_many_rooms', error: 'leave one first' };
    await enterAgain(ann).click();
    await notices(ann)
      .getByText('You are in as many rooms as the server allows. Leave one of them first.')
      .waitFor();
    line.refusal = undefined;
    await enterAgain(ann).click();
    await notices(ann).getByText('You have entered this room.').waitFor();
    await expect.poll(ann.texts, PATIENT).toEqual(['from before']);
    expect(await enterAgain(ann).count()).toBe(0);
  });

  test('that one is taken out of takes nothing more until one has entered again', async () => {
    const pod = await podForTest();
    const ann = new Person(await open(pod.url));
    const line = await between(ann);
    await ann.enters('Ann');
    await expect.poll(ann.memberRows, PATIENT).toEqual(['Ann you']);
    line.says({ type: 'system', event: 'left', room: 'lobby' });
    await notices(ann).getByText('The server has removed you from this room.').waitFor();
    await expect.poll(ann.memberRows, PATIENT).toEqual([]);
    await ann.says('is anybody here?');
    await ann.log.getByText('not sent: you are not in this room').waitFor();
    await enterAgain(ann).click();
    await notices(ann).getByText('You have entered this room.').waitFor();
    await ann.log.getByRole('button', { name: 'Try again' }).click();
    await expect.poll(ann.texts, PATIENT).toEqual(['is anybody here?']);
    await expect.poll(ann.memberRows, PATIENT).toEqual(['Ann you']);
  });
});

test('a refusal of what the page did by itself is shown, though not again and again', async () => {
  const pod = await podForTest();
  const ann = new Person(await open(pod.url));
  const line = await between(ann);
  await ann.enters('Ann');
  const data = { code: 'forbidden', error: 'no permission for this' };
  for (const _ of [1, 2]) line.says({ type: 'error', room: 'lobby', data });
  await ann.says('after it');
  await expect.poll(ann.texts, PATIENT).toEqual(['after it']);
  expect(await notices(ann).allTextContents()).toEqual([
    'The server rejected a request: no permission for this.',
  ]);
});

test('a message that nobody answered for too long stays, as one that was perhaps sent', async () => {
  const pod = await podForTest();
  const ann = new Person(await open(pod.url));
  const line = await between(ann);
  await ann.page.clock.install();
  await ann.enters('Ann');
  line.losesMessages = true;
  await ann.says('hello?');
  await ann.log.getByText('sending…').waitFor();
  await stopClock(ann.page);
  await line.ends();
  await ann.state('reconnecting…');
  line.losesMessages = false;
  await ann.page.clock.fastForward('06:00');
  await ann.page.clock.resume();
  await ann.log.getByText('perhaps sent: the server did not answer in time').waitFor();
  expect(await ann.texts()).toEqual([]);
  await ann.log.getByRole('button', { name: 'Try again' }).click();
  await expect.poll(ann.texts, PATIENT).toEqual(['hello?']);
});
