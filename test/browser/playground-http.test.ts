import { describe, expect, test } from 'vitest';
import { inSeconds, SECRET, token } from '../support/tokens.ts';
import { PATIENT, SERVER_AWAY, useBrowser } from './browser.ts';
import { freePort } from '../support/ports.ts';
import { podForTest } from './person.ts';
import { Playground } from './playground.ts';

const open = useBrowser();

const GUESTS = { JWT_SECRET: SECRET, GUEST_LOGIN: 'true' };
const API_KEY = 'a-key-of-the-tests-0123456789';

async function playground(env: Record<string, string>, options?: Parameters<typeof open>[1]) {
  const pod = await podForTest(env);
  return new Playground(await open(`${pod.url}/playground`, options));
}

describe('the token box', () => {
  test('says what a token holds and how long it is valid, and sends it nowhere', async () => {
    const ground = await playground({});
    const requests: string[] = [];
    ground.page.on('request', (request) => requests.push(request.url()));
    const claims = { sub: 'ann', permissions: ['join:*'], iat: inSeconds(-150), exp: inSeconds(5_430) };
    const text = await token(claims);
    await ground.page.getByLabel('Token', { exact: true }).pressSequentially(text, { delay: 0 });
    const says = ground.page.getByRole('region', { name: 'What the token says' });
    await says.getByText(/^Valid for 90 minutes, until /).waitFor();
    await says.getByText('Issued 2 minutes ago.').waitFor();
    await says.getByText('The signature is not verified').waitFor();
    const [header = '', body = ''] = await says.locator('pre').allTextContents();
    expect(JSON.parse(header)).toEqual({ alg: 'HS256', typ: 'JWT' });
    expect(JSON.parse(body)).toEqual(claims);
    expect(requests).toEqual([]);
    await ground.fills({ token: '' });
    await says.waitFor({ state: 'hidden' });
  });

  test('says that a token has expired, also while one looks at it', async () => {
    const ground = await playground({});
    const standing = ground.page.locator('#token-standing');
    await ground.fills({ token: await token({ sub: 'ann', exp: inSeconds(-7_300) }) });
    expect(await standing.textContent()).toMatch(/^Expired 2 hours ago, on /);
    await ground.fills({ token: await token({ sub: 'ann', exp: inSeconds(3) }) });
    expect(await standing.textContent()).toMatch(/^Valid for [0-3] seconds?, until /);
    await expect.poll(() => standing.textContent(), PATIENT).toMatch(/^Expired \d seconds? ago, on /);
  });

  test('says what is wrong with one that is broken', async () => {
    const ground = await playground({});
    const field = ground.page.getByLabel('Token', { exact: true });
    const standing = ground.page.locator('#token-standing');
    await ground.fills({ token: 'secret' });
    expect(await standing.textContent()).toBe('A token has three parts with dots between them; this has 1.');
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    expect(await ground.page.locator('#token-parts').isVisible()).toBe(false);
    const [head, , signature] = (await token({ sub: 'ann' })).split('.');
    await ground.fills({ token: `${head}.eyJhIjp9.${signature}` });
    expect(await standing.textContent()).toBe('The second part, the claims, is not JSON.');
    await ground.fills({ token: await token({ sub: 'ann' }) });
    expect(await field.getAttribute('aria-invalid')).toBe('false');
  });

  test('is filled by a guest login, and opens a connection', async () => {
    const ground = await playground(GUESTS);
    await ground.fills({ user: 'ann' });
    await ground.page.getByRole('button', { name: 'Get a guest token' }).click();
    await ground.page.getByText(/^Valid for (59|60) minutes, until /).waitFor();
    const text = await ground.page.getByLabel('Token', { exact: true }).inputValue();
    await ground.connects();
    await expect.poll(ground.received, PATIENT).toContainEqual(
      expect.objectContaining({
        event: 'connected',
        data: expect.objectContaining({ user_id: 'guest:ann' }) as unknown,
      }),
    );
    const [request, answer] = await ground.calls();
    expect(request).toMatch(/^POST http:.*\/api\/auth\/guest\n\{"username":"ann"\}$/);
    expect(answer).toMatch(/^200 \{"token":"…","user_id":"guest:ann",/);
    expect(await ground.page.locator('body').innerText()).not.toContain(text);
  });

  test('stays empty where guests are not let in, or need no token', async () => {
    const off = await playground({ ...GUESTS, GUEST_LOGIN: 'false' }, { refusals: ['404 /api/auth/guest'] });
    await off.page.getByRole('button', { name: 'Get a guest token' }).click();
    await off.page.getByRole('alert').filter({ hasText: 'This server does not let guests in' }).waitFor();
    const free = await playground({});
    await free.page.getByRole('button', { name: 'Get a guest token' }).click();
    await free.lineSays('authentication is off on this server: no token is needed');
    expect(await free.page.getByLabel('Token', { exact: true }).inputValue()).toBe('');
  });
});

describe('an event by HTTP', () => {
  const env = { ...GUESTS, API_KEYS: API_KEY };

  test('reaches who listens to the channel', async () => {
    const ground = await playground(env);
    await ground.fills({ dialect: 'channel', token: await token({ sub: 'ann' }), place: 'news' });
    await ground.connects();
    await ground.sends('subscribe');
    await expect
      .poll(ground.received, PATIENT)
      .toContainEqual(expect.objectContaining({ type: 'subscribed', channel: 'news' }));
    await ground.fills({
      channel: 'news',
      eventName: 'headline',
      payload: '{"n": [1, null]}',
      apiKey: API_KEY,
    });
    await ground.posts();
    await expect.poll(ground.received, PATIENT).toContainEqual(
      expect.objectContaining({
        type: 'broadcast',
        channel: 'news',
        event: 'headline',
        payload: { n: [1, null] },
      }),
    );
    await expect.poll(ground.calls, PATIENT).toHaveLength(2);
    const [request, answer] = await ground.calls();
    expect(request).toMatch(/^POST http:.*\/api\/event\nX-API-Key: …\n\{/);
    expect(request).toContain('{"channel":"news","event":"headline","payload":{"n":[1,null]}}');
    expect(answer).toMatch(/^200 \{"status":"ok","message_id":".+"\}$/);
    expect(await ground.page.locator('body').innerText()).not.toContain(API_KEY);
  });

  test('is sent with the token where there is no key', async () => {
    const ground = await playground(env);
    await ground.fills({ token: await token({ sub: 'ann', permissions: ['api:*'] }), eventName: '' });
    await ground.posts();
    await expect.poll(ground.calls, PATIENT).toHaveLength(2);
    const [request, answer] = await ground.calls();
    expect(request).toContain('\nAuthorization: …\n{"channel":"lobby","payload":{"text":"Hello"}}');
    expect(answer).toMatch(/^200 /);
  });

  test('that is refused shows the answer', async () => {
    const ground = await playground(env, { refusals: ['401 /api/event', '400 /api/event'] });
    await ground.fills({ apiKey: 'wrong' });
    await ground.posts();
    await expect.poll(ground.calls, PATIENT).toHaveLength(2);
    expect((await ground.calls())[1]).toMatch(/^401 \{.*"code":"invalid_api_key"/);
    await ground.fills({ apiKey: API_KEY, channel: 'no spaces' });
    await ground.posts();
    await expect.poll(ground.calls, PATIENT).toHaveLength(4);
    expect((await ground.calls())[3]).toMatch(/^400 \{.*"code":"invalid_room"/);
  });

  test('whose payload is not JSON is not sent', async () => {
    const ground = await playground(env);
    await ground.fills({ payload: '{"text":' });
    await ground.posts();
    await ground.page.getByRole('alert').filter({ hasText: 'The payload is not JSON.' }).waitFor();
    expect(await ground.calls()).toEqual([]);
  });

  test('that no server answers is told', async () => {
    const ground = await playground(env, { expected: SERVER_AWAY });
    await ground.fills({ server: `http://127.0.0.1:${await freePort()}` });
    await ground.posts();
    await ground.lineSays(/no answer, or the server does not let this page read it/);
  });
});

test('a phone is wide enough for a token and its claims', async () => {
  const ground = await playground({}, { viewport: { width: 360, height: 740 } });
  await ground.fills({ token: await token({ sub: 'a'.repeat(200), permissions: Array(20).fill('join:*') }) });
  await ground.page.locator('#token-claims').waitFor();
  expect(await ground.page.locator('html').evaluate((html) => html.scrollWidth)).toBe(360);
});
