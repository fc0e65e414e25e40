import { describe, expect, test } from 'vitest';
import { SECRET, token } from '../support/tokens.ts';
import { PATIENT, SERVER_AWAY, useBrowser } from './browser.ts';
import { Person, podForTest, script } from './person.ts';

const open = useBrowser();

const GUESTS = { JWT_SECRET: SECRET, GUEST_LOGIN: 'true' };

/** Waits until the clock shows another second: tokens that a guest gets within the same second are the same. */
async function nextSecond(): Promise<void> {
  const second = (): number => Math.floor(Date.now() / 1_000);
  const now = second();
  await expect.poll(second).toBeGreaterThan(now);
}

/** The addresses of the page's WebSockets and the frames that it sends, from now on. */
function traffic({ page }: Person): { readonly urls: string[]; readonly sent: string[] } {
  const urls: string[] = [];
  const sent: string[] = [];
  page.on('websocket', (socket) => {
    urls.push(socket.url());
    socket.on('framesent', ({ payload }) => sent.push(String(payload)));
  });
  return { urls, sent };
}

describe('guests, while authentication is on', () => {
  test('two chat with each other under the names they chose', async () => {
    const pod = await podForTest(GUESTS);
    const ann = await new Person(await open(pod.url)).enters('Ann');
    const bob = await new Person(await open(pod.url)).enters('Bob');
    await expect.poll(ann.memberRows, PATIENT).toEqual(['Ann you', 'Bob online']);
    await ann.says('hello from Ann');
    await expect.poll(bob.texts, PATIENT).toEqual(['hello from Ann']);
    await bob.says('hello from Bob');
    await expect.poll(ann.texts, PATIENT).toEqual(['hello from Ann', 'hello from Bob']);
    const authors = ann.log.locator('.message').locator('.author, .unseen');
    expect(await authors.allTextContents()).toEqual(['You', 'Bob']);
    await ann.page.getByText('You are Ann', { exact: true }).waitFor();
  });

  test('the token is neither kept by the browser nor in any address', async () => {
    const pod = await podForTest(GUESTS);
    const ann = new Person(await open(pod.url));
    const { urls } = traffic(ann);
    await ann.enters('Ann');
    expect(urls).toEqual([`${pod.wsUrl}/ws`]);
    expect(ann.page.url()).toBe(`${pod.url}/`);
    const kept = await ann.page.evaluate<string>(
      'JSON.stringify([localStorage, sessionStorage, document.cookie, history.state])',
    );
    expect(JSON.parse(kept)).toEqual([{ 'crosspod.name': 'Ann', 'crosspod.rooms': 'lobby' }, {}, '', null]);
  });

  test('a page that is loaded again comes back as the same guest', async () => {
    const pod = await podForTest(GUESTS);
    const ann = await new Person(await open(pod.url)).enters('Ann');
    await ann.says('before');
    await expect.poll(ann.texts, PATIENT).toEqual(['before']);
    await ann.page.reload();
    await ann.state('connected');
    await expect.poll(ann.texts, PATIENT).toEqual(['before']);
    expect(await ann.log.locator('.message').getAttribute('class')).toContain('own');
    await expect.poll(ann.memberRows, PATIENT).toEqual(['Ann you']);
  });

  test('a guest is told from the user whose name it took, and from the server', async () => {
    const pod = await podForTest({ ...GUESTS, GUEST_PREFIX: 'visitor-' });
    const user = script(pod, { token: await token({ sub: 'Ann' }) }).room('lobby');
    const login = await fetch(`${pod.url}/api/auth/guest`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"username":"system"}',
    });
    const liar = script(pod, (await login.json()) as { token: string }).room('lobby');
    const ann = await new Person(await open(pod.url)).enters('Ann');
    await user.join();
    await liar.join();
    await expect.poll(ann.memberRows, PATIENT).toEqual(['Ann you', 'Ann signed in', 'visitor-system online']);
    await user.send({ text: 'from the user' });
    await ann.says('from the guest');
    await expect.poll(ann.texts, PATIENT).toEqual(['from the user', 'from the guest']);
    const [first, second] = await ann.log.locator('.message').all();
    expect(await first?.getAttribute('class')).not.toContain('own');
    expect(await first?.locator('.author').textContent()).toBe('Ann signed in');
    expect(await second?.getAttribute('class')).toContain('own');
  });
});

describe('a new token', () => {
  test('is fetched for the connection that follows a lost one', async () => {
    const pod = await podForTest(GUESTS);
    const ann = new Person(await open(pod.url, { expected: SERVER_AWAY }));
    await ann.enters('Ann');
    await pod.kill();
    await ann.state('reconnecting…');
    // Of the old token it knows nothing.
    await podForTest({ ...GUESTS, ...pod.ports, JWT_SECRET: `${SECRET}-of-another-pod` });
    await ann.state('connected');
    await ann.says('here again');
    await expect.poll(ann.texts, PATIENT).toEqual(['here again']);
  });

  test('is fetched when the server says that the old one has ended', async () => {
    const pod = await podForTest(GUESTS);
    const ann = new Person(await open(pod.url));
    const tokens: (string | undefined)[] = [];
    let end = async (): Promise<void> => {};
    await ann.page.routeWebSocket(/\/ws/, (socket) => {
      tokens.push(socket.protocols()[1]);
      socket.connectToServer();
      end = () => socket.close({ code: 4401, reason: 'token expired' });
    });
    await ann.enters('Ann');
    await nextSecond();
    const states = await ann.watchesState();
    await end();
    await expect.poll(states, PATIENT).toEqual(['reconnecting…', 'connected']);
    expect(tokens).toHaveLength(2);
    expect(tokens[0]).toMatch(/^bearer\./);
    expect(tokens[1]).not.toBe(tokens[0]);
  });

  test('is brought before the old one ends, on the connection that is there', async () => {
    const pod = await podForTest(GUESTS);
    const ann = new Person(await open(pod.url));
    await ann.page.clock.install();
    const { urls, sent } = traffic(ann);
    await ann.enters('Ann');
    await nextSecond();
    await ann.page.clock.fastForward('59:45');
    const types = (): unknown[] => sent.map((frame) => (JSON.parse(frame) as { type: string }).type);
    await expect.poll(types, PATIENT).toContain('auth');
    await ann.says('still on the first connection');
    await expect.poll(ann.texts, PATIENT).toEqual(['still on the first connection']);
    expect(urls).toHaveLength(1);
  });
});

describe('who is not let in is told why', () => {
  test('guest login is switched off', async () => {
    const pod = await podForTest({ ...GUESTS, GUEST_LOGIN: 'false' });
    const ann = new Person(await open(pod.url, { refusals: ['404 /api/auth/guest'] }));
    await ann.triesToEnter('Ann');
    await ann.isTold('This server does not let guests in');
    expect(await ann.focused()).toBe('name');
    expect(await ann.page.evaluate<string | null>('localStorage.getItem("crosspod.name")')).toBe(null);
  });

  test('guest login was switched off since the last visit', async () => {
    const pod = await podForTest(GUESTS);
    const options = { expected: SERVER_AWAY, refusals: ['404 /api/auth/guest'] };
    const ann = new Person(await open(pod.url, options));
    await ann.enters('Ann');
    await ann.page.goto('about:blank');
    await pod.kill();
    await podForTest({ ...GUESTS, ...pod.ports, GUEST_LOGIN: 'false' });
    await ann.page.goto(pod.url);
    await ann.isTold('This server does not let guests in');
    expect(await ann.page.getByLabel('Your name').inputValue()).toBe('Ann');
  });

  test('the server does not take the name, but another one', async () => {
    // Together they are longer than a user id may be.
    const pod = await podForTest({ ...GUESTS, GUEST_PREFIX: 'p'.repeat(250) });
    const ann = new Person(await open(pod.url, { refusals: ['400 /api/auth/guest'] }));
    await ann.triesToEnter('Annabella');
    await ann.isTold('The server does not accept this name.');
    expect(await ann.page.getByLabel('Your name').getAttribute('aria-invalid')).toBe('true');
    await ann.enters('Ann');
    await expect.poll(ann.memberRows, PATIENT).toEqual(['Ann you']);
  });

  test('too many come in at once', async () => {
    const pod = await podForTest(GUESTS);
    const ann = new Person(await open(pod.url, { refusals: ['429 /api/auth/guest'] }));
    await ann.page.route('**/api/auth/guest', (route) =>
      route.fulfill({ status: 429, headers: { 'Retry-After': '7' }, json: { code: 'rate_limited' } }),
    );
    await ann.triesToEnter('Ann');
    await ann.isTold('Too many people are joining right now. Try again in 7 seconds.');
    await ann.page.unroute('**/api/auth/guest');
    await ann.enters('Ann');
  });

  test('the server is away', async () => {
    const pod = await podForTest(GUESTS);
    const ann = new Person(await open(pod.url, { expected: SERVER_AWAY }));
    await pod.kill();
    await ann.triesToEnter('Ann');
    await ann.isTold('The server does not answer.');
    await podForTest({ ...GUESTS, ...pod.ports });
    await ann.enters('Ann');
  });
});
