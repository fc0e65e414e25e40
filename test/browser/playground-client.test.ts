import { expect, test } from 'vitest';
import type { Pod } from '../support/pod.ts';
import { SECRET, token } from '../support/tokens.ts';
import { PATIENT, SERVER_AWAY, stopClock, useBrowser } from './browser.ts';
import { podForTest, script } from './person.ts';
import { Playground } from './playground.ts';

const open = useBrowser();

const API_KEY = 'a-key-of-the-tests-0123456789';

async function groundAt(pod: Pod, options?: Parameters<typeof open>[1]): Promise<Playground> {
  const ground = new Playground(await open(`${pod.url}/playground`, options));
  await ground.fills({ dialect: 'client', user: 'ann', place: 'r' });
  return ground;
}

test('it speaks through the client, and tells what that tells', async () => {
  const pod = await podForTest();
  const ground = await groundAt(pod);
  expect(await ground.page.locator('#address').textContent()).toBe(
    `${pod.wsUrl}/ws?user_id=ann  +  crosspod.message.v1`,
  );
  await ground.connects();
  await ground.tells('state connected');
  await ground.fills({ history: '5' });
  await ground.sends('join');
  await ground.tells(/^r joined \{.*"count":1/);
  await ground.tells(/^r members 1 \[\{"user_id":"ann","status":"online"/);
  await ground.tells(/^#1 resolves: \{.*"count":1/);
  await ground.sends('send');
  await ground.tells(/^r message \{.*"type":"chat","room":"r","from":"ann","data":\{"text":"Hello"\}/);
  await ground.tells(/^#2 resolves: ".+"$/);
  await ground.fills({ event: 'typing' });
  await ground.page.getByLabel('not stored').check();
  await ground.sends('send');
  await ground.tells(/^r message \{.*"event":"typing".*"ephemeral":true/);
  await ground.fills({ event: '', status: 'away' });
  await ground.sends('setPresence');
  await ground.tells('r presence {"user_id":"ann","status":"away","meta":{"text":"Hello"}}');
  await ground.fills({ to: 'ann' });
  await ground.sends('sendTo');
  await ground.tells(/^message \{.*"to":"ann","from":"ann"/);
  await ground.sends('broadcast');
  await ground.tells(/^#6 resolves: /);
  await ground.sends('leave');
  await expect.poll(ground.received, PATIENT).toContainEqual(expect.objectContaining({ event: 'left' }));
  const told = await ground.told();
  expect(told.filter((text) => text.startsWith('#') && text.includes('('))).toEqual([
    '#1 room("r").join({"history":5})',
    '#2 room("r").send({"text":"Hello"})',
    '#3 room("r").send({"text":"Hello"}, {"event":"typing","ephemeral":true})',
    '#4 room("r").setPresence("away", {"text":"Hello"})',
    '#5 sendTo("ann", {"text":"Hello"}, {"ephemeral":true})',
    '#6 broadcast({"text":"Hello"}, {"ephemeral":true})',
    '#7 room("r").leave()',
  ]);
});

test('a line that is dropped comes back, with what was said meanwhile and what was called', async () => {
  const pod = await podForTest();
  const ground = await groundAt(pod);
  await ground.page.clock.install();
  await ground.connects();
  await ground.sends('join');
  const bob = script(pod, 'bob').room('r');
  await bob.send('before');
  await ground.tells(/^r message .*"data":"before"/);
  // The client does not come back before all has been said.
  await stopClock(ground.page);
  await ground.sends('drop the connection');
  await ground.tells('state reconnecting');
  await ground.page.getByRole('status').filter({ hasText: 'reconnecting…' }).waitFor();
  for (const text of ['missed 1', 'missed 2']) await bob.send(text);
  await ground.sends('send');
  await ground.page.clock.resume();
  await ground.tells(/^#2 resolves: ".+"$/);
  const told = (await ground.told()).filter((text) => !text.startsWith('r members'));
  const after = told.slice(told.findIndex((text) => text.startsWith('state reconnecting')));
  expect(after).toEqual([
    'state reconnecting {"code":1005,"reason":""}',
    '#2 room("r").send({"text":"Hello"})',
    'state connected',
    expect.stringMatching(/^r joined \{.*"recovered":true.*"replayed":2/),
    expect.stringMatching(/^r message \{.*"missed 1"/),
    expect.stringMatching(/^r message \{.*"missed 2"/),
    expect.stringMatching(/^r message \{.*"from":"ann","data":\{"text":"Hello"\}/),
    expect.stringMatching(/^#2 resolves: ".+"$/),
  ]);
  await expect
    .poll(ground.sent, PATIENT)
    .toContainEqual(expect.objectContaining({ type: 'join', room: 'r', last_id: expect.any(String) }));
});

test('what the server refuses is told with its code', async () => {
  const pod = await podForTest({ JWT_SECRET: SECRET });
  const ground = await groundAt(pod);
  const readOnly = await token({ sub: 'ann', permissions: ['join:r'] });
  await ground.fills({ user: '', token: readOnly });
  await ground.connects();
  await ground.sends('send');
  await ground.tells('#1 rejects: forbidden, ');
  await ground.fills({ place: 'secret' });
  await ground.sends('join');
  await ground.tells('secret left forbidden, ');
  await ground.tells('#2 rejects: forbidden, ');
  await ground.fills({ place: 'r' });
  await ground.sends('join');
  await ground.tells(/^r joined /);
  await ground.sends('setPresence');
  await ground.tells('error forbidden, ');
  await ground.fills({ data: 'not JSON' });
  await ground.sends('broadcast');
  await ground.page.getByRole('alert').filter({ hasText: 'The data is not JSON.' }).waitFor();
  expect((await ground.told()).filter((text) => text.includes('broadcast'))).toEqual([]);
  expect(await ground.page.locator('#record').innerText()).not.toContain(readOnly);
});

test('a client that is closed for good says why, and another may be begun', async () => {
  const pod = await podForTest({ API_KEYS: API_KEY });
  const ground = await groundAt(pod);
  await ground.connects();
  await fetch(`${pod.url}/api/users/ann/disconnect`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-API-Key': API_KEY },
    body: '{"reason":"enough for today"}',
  });
  await ground.tells('state closed {"code":4403,"reason":"enough for today"}');
  const status = ground.page.getByRole('status');
  expect(await status.textContent()).toBe('closed with 4403');
  expect(await ground.page.getByRole('button', { name: 'join' }).isDisabled()).toBe(true);
  await ground.page.getByRole('button', { name: 'Connect', exact: true }).click();
  await expect.poll(() => status.textContent(), PATIENT).toBe('connected');
  await ground.sends('join');
  await ground.tells(/^#1 resolves: /);
  await ground.page.getByRole('button', { name: 'Disconnect' }).click();
  await ground.tells('state closed {"code":1000,"reason":""}');
});

test('calls wait for the connection, and the buttons for a client', async () => {
  const pod = await podForTest();
  const ground = await groundAt(pod, { expected: SERVER_AWAY });
  const call = ground.page.getByRole('group', { name: 'Make this call' }).getByRole('button').first();
  expect(await call.isDisabled()).toBe(true);
  await ground.connects();
  await pod.kill();
  await ground.tells('state reconnecting');
  await ground.sends('send');
  await ground.fills({ dialect: 'message' });
  expect(await ground.page.getByRole('button', { name: 'chat', exact: true }).isDisabled()).toBe(true);
  expect(await ground.page.getByRole('button', { name: 'Send this frame' }).isDisabled()).toBe(true);
  await podForTest(pod.ports);
  await ground.tells(/^#1 resolves: ".+"$/);
});

test('a phone is wide enough for the calls', async () => {
  const pod = await podForTest();
  const ground = await groundAt(pod, { viewport: { width: 360, height: 740 } });
  await ground.connects();
  await ground.sends('join');
  await ground.tells(/^r joined /);
  expect(await ground.page.locator('html').evaluate((html) => html.scrollWidth)).toBe(360);
});

test('a call without a name for its room or its receiver goes to nobody, and says so', async () => {
  const pod = await podForTest();
  const ground = await groundAt(pod);
  const heard: unknown[] = [];
  const eve = script(pod, 'eve');
  eve.onMessage(({ data }) => heard.push(data));
  await ground.connects();
  await ground.fills({ place: '', to: '' });
  await ground.sends('send');
  await ground.tells('#1 send: TypeError: The name of a room or a user must not be empty.');
  await ground.sends('sendTo');
  await ground.tells('#2 rejects: TypeError: The name of a room or a user must not be empty.');
  await expect.poll(() => eve.state, PATIENT).toBe('connected');
  await ground.sends('broadcast');
  await expect.poll(() => heard, PATIENT).toEqual([{ text: 'Hello' }]);
});
