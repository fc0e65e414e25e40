import { expect, test } from 'vitest';
import { PATIENT, useBrowser } from './browser.ts';
import { podForTest, script } from './person.ts';
import { Playground } from './playground.ts';
import { rulesFile } from '../support/rules-file.ts';

const open = useBrowser();

test('it speaks the message dialect', async () => {
  const pod = await podForTest();
  const ground = new Playground(await open(`${pod.url}/playground`));
  await ground.fills({ user: 'ann', place: 'r', event: 'greeting', data: '{"text":"hi"}', ref: 'one' });
  await ground.connects();
  await ground.lineSays('open, crosspod.message.v1');
  await expect
    .poll(ground.received, PATIENT)
    .toContainEqual(expect.objectContaining({ type: 'system', event: 'connected' }));
  await ground.sends('join');
  await expect
    .poll(ground.received, PATIENT)
    .toContainEqual(expect.objectContaining({ type: 'system', event: 'joined', room: 'r', ref: 'one' }));
  await ground.sends('chat');
  await expect.poll(ground.received, PATIENT).toContainEqual(
    expect.objectContaining({
      type: 'chat',
      room: 'r',
      from: 'ann',
      event: 'greeting',
      data: { text: 'hi' },
    }),
  );
  await expect
    .poll(ground.received, PATIENT)
    .toContainEqual(expect.objectContaining({ type: 'ack', ref: 'one', room: 'r' }));
  await ground.fills({ ref: 'two' });
  await ground.sends('notification');
  await expect
    .poll(ground.received, PATIENT)
    .toContainEqual(expect.objectContaining({ type: 'notification', room: 'r', from: 'ann' }));
  await ground.fills({ status: 'away' });
  await ground.sends('presence');
  await expect
    .poll(ground.received, PATIENT)
    .toContainEqual(expect.objectContaining({ type: 'ack', ref: 'two', room: 'r' }));
  await ground.sends('ping');
  await expect
    .poll(ground.received, PATIENT)
    .toContainEqual(expect.objectContaining({ type: 'pong', ref: 'two' }));
  await ground.sends('leave');
  await expect
    .poll(ground.received, PATIENT)
    .toContainEqual(expect.objectContaining({ type: 'system', event: 'left', room: 'r', ref: 'two' }));
  expect((await ground.sent()).map(({ type }) => type)).toEqual([
    'join',
    'chat',
    'notification',
    'presence',
    'ping',
    'leave',
  ]);
  await ground.page.getByRole('button', { name: 'Disconnect' }).click();
  await ground.lineSays('closed with 1000. The client or the server ended the connection normally.');
});

test('it speaks the channel dialect', async () => {
  const pod = await podForTest();
  const ground = new Playground(await open(`${pod.url}/playground`));
  await ground.fills({ dialect: 'channel', user: 'ann', place: 'r', data: '{"name":"Ann"}' });
  await ground.connects();
  await ground.lineSays('open, crosspod.channel.v1');
  await ground.sends('subscribe');
  await expect
    .poll(ground.received, PATIENT)
    .toContainEqual(expect.objectContaining({ type: 'presence_sync', channel: 'r', users: [] }));
  await ground.sends('presence_join');
  await expect
    .poll(ground.received, PATIENT)
    .toContainEqual(
      expect.objectContaining({ type: 'presence_join', channel: 'r', user_id: 'ann', meta: { name: 'Ann' } }),
    );
  await ground.fills({ data: '{"name":"Anna"}' });
  await ground.sends('presence_update');
  await expect
    .poll(ground.received, PATIENT)
    .toContainEqual(
      expect.objectContaining({ type: 'presence_update', channel: 'r', meta: { name: 'Anna' } }),
    );
  await ground.fills({ event: 'greeting' });
  await ground.sends('broadcast');
  await expect.poll(ground.received, PATIENT).toContainEqual(
    expect.objectContaining({
      type: 'broadcast',
      channel: 'r',
      event: 'greeting',
      payload: { name: 'Anna' },
    }),
  );
  await script(pod, 'bob').room('r').send('from the other dialect');
  await expect.poll(ground.received, PATIENT).toContainEqual(
    expect.objectContaining({
      type: 'broadcast',
      event: 'chat',
      payload: 'from the other dialect',
      user_id: 'bob',
    }),
  );
  await ground.sends('presence_leave');
  await expect
    .poll(ground.received, PATIENT)
    .toContainEqual(expect.objectContaining({ type: 'presence_leave', channel: 'r', user_id: 'ann' }));
  await ground.fills({ ref: 'bye' });
  await ground.sends('unsubscribe');
  await expect.poll(ground.sent, PATIENT).toHaveLength(6);
});

test('a subscription hears only what it listens to', async () => {
  const pod = await podForTest();
  const ground = new Playground(await open(`${pod.url}/playground`));
  await ground.fills({ dialect: 'channel', user: 'ann', place: 'r', ref: 'sub' });
  await ground.page.getByLabel('presence', { exact: true }).uncheck();
  await ground.connects();
  await ground.sends('subscribe');
  expect(await ground.sent()).toEqual([
    { type: 'subscribe', channel: 'r', listen: ['broadcast'], ref: 'sub' },
  ]);
  await expect
    .poll(ground.received, PATIENT)
    .toContainEqual(expect.objectContaining({ type: 'subscribed', channel: 'r' }));
  const bob = script(pod, 'bob').room('r');
  await bob.join();
  await bob.send('hi');
  await expect
    .poll(ground.received, PATIENT)
    .toContainEqual(expect.objectContaining({ type: 'broadcast', payload: 'hi' }));
  const types = (await ground.received()).map(({ type }) => type);
  expect(types.filter((type) => String(type).startsWith('presence'))).toEqual([]);
});

test('any frame can be sent, and the answer to a bad one is seen', async () => {
  const pod = await podForTest();
  const ground = new Playground(await open(`${pod.url}/playground`));
  await ground.connects();
  await ground.page.getByLabel('Any frame').fill('{"type":"join","room":"no spaces","ref":"x"}');
  await ground.page.getByRole('button', { name: 'Send this frame' }).click();
  await expect
    .poll(ground.received, PATIENT)
    .toContainEqual(expect.objectContaining({ type: 'error', ref: 'x' }));
  await ground.fills({ data: 'not JSON' });
  await ground.sends('chat');
  await ground.page.getByRole('alert').filter({ hasText: 'The data is not JSON.' }).waitFor();
  expect(await ground.sent()).toHaveLength(1);
});

test('the address shows what was chosen, but not the token', async () => {
  const pod = await podForTest();
  const ground = new Playground(await open(`${pod.url}/playground`));
  await ground.fills({
    server: 'https://example.org',
    room: 'a:b',
    user: 'ann',
    naming: 'query',
    token: 'secret',
  });
  const address = ground.page.locator('#address');
  expect(await address.textContent()).toBe(
    'wss://example.org/ws/a%3Ab?user_id=ann&dialect=message  +  bearer.…',
  );
  await ground.fills({ server: 'nonsense' });
  expect(await address.textContent()).toBe('the server is not a URL');
});

test('a refused upgrade is explained', async () => {
  const pod = await podForTest();
  const ground = new Playground(
    await open(`${pod.url}/playground`, { expected: /Error during WebSocket handshake/ }),
  );
  await ground.fills({ user: 'system' });
  await ground.page.getByRole('button', { name: 'Connect', exact: true }).click();
  await ground.lineSays(/closed with 1006.*the server refused the upgrade/);
  expect(await ground.page.getByRole('status').textContent()).toBe('closed with 1006');
});

test('a phone is wide enough', async () => {
  const pod = await podForTest();
  const page = await open(`${pod.url}/playground`, { viewport: { width: 360, height: 740 } });
  expect(await page.locator('html').evaluate((html) => html.scrollWidth)).toBe(360);
});

test('it names the rule of a room', async () => {
  const pod = await podForTest({ ROOMS_FILE: await rulesFile('rooms: [{ match: "news-*" }]') });
  const ground = new Playground(await open(`${pod.url}/playground`));
  await ground.fills({ place: 'news-1' });
  await ground.connects();
  await ground.sends('join');
  await ground.lineSays('news-1 has the rule news-*');
});
