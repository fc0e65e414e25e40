import { expect, test } from 'vitest';
import { PATIENT, useBrowser } from './browser.ts';
import { Person, podForTest, script } from './person.ts';

const open = useBrowser();

/** What a screen reader does: it reads out what is added where a live region is on at that time. */
const SCREEN_READER = `
  globalThis.heard = [];
  new MutationObserver((records) => {
    for (const { addedNodes, target } of records) {
      const live = target.closest('[aria-live]')?.getAttribute('aria-live');
      if (live === 'polite') heard.push(...Array.from(addedNodes, (node) => node.textContent));
    }
  }).observe(document.body, { childList: true, subtree: true });
`;

/** How many elements move by themselves or when they change. */
const MOVING = `
  [...document.querySelectorAll('*')].filter((element) => {
    const { transitionDuration, animationName } = getComputedStyle(element);
    return transitionDuration !== '0s' || animationName !== 'none';
  }).length
`;

test('the keyboard alone is enough', async () => {
  const pod = await podForTest();
  const ann = new Person(await open(pod.url));
  const { keyboard } = ann.page;
  await keyboard.type('Ann');
  await keyboard.press('Enter');
  await ann.state('connected');
  await keyboard.type('one line');
  await keyboard.press('Shift+Enter');
  await keyboard.type('and another');
  await keyboard.press('Enter');
  await expect.poll(ann.texts, PATIENT).toEqual(['one line\nand another']);

  for (let presses = 0; (await ann.focused()) !== 'room-name' && presses < 20; presses += 1) {
    await keyboard.press('Shift+Tab');
  }
  await keyboard.type('deploys');
  await keyboard.press('Enter');
  await ann.page.getByRole('heading', { name: 'deploys' }).waitFor();
  await keyboard.type('in the new room');
  await keyboard.press('Enter');
  await expect.poll(ann.texts, PATIENT).toEqual(['in the new room']);

  for (let presses = 0; (await ann.focused()) !== 'room:lobby' && presses < 20; presses += 1) {
    await keyboard.press('Shift+Tab');
  }
  await keyboard.press('Enter');
  await expect.poll(ann.texts, PATIENT).toEqual(['one line\nand another']);
  expect(await ann.focused()).toBe('text');
});

test('the first press of Tab offers the way to the message box', async () => {
  const pod = await podForTest();
  const ann = await new Person(await open(pod.url)).enters('Ann');
  await ann.box.blur();
  await ann.page.locator('body').press('Tab');
  await ann.page.keyboard.press('Enter');
  expect(await ann.focused()).toBe('text');
});

test('a screen reader finds every part by its role and name', async () => {
  const pod = await podForTest();
  const ann = await new Person(await open(pod.url)).enters('Ann');
  await ann.adds('deploys');
  const { page } = ann;
  await page.getByRole('navigation', { name: 'Rooms' }).waitFor();
  await page.getByRole('main').waitFor();
  await page.getByRole('complementary', { name: '1 member' }).waitFor();
  await page.getByRole('textbox', { name: 'Message to deploys' }).waitFor();
  expect(await ann.room('deploys').getAttribute('aria-current')).toBe('true');
  expect(await ann.room('lobby').getAttribute('aria-current')).toBe(null);
  const log = page.getByRole('log', { name: 'Messages in deploys' });
  await expect.poll(() => log.getAttribute('aria-live'), PATIENT).toBe('polite');
});

test('nothing of the history is read out on arrival, and everything after it is', async () => {
  const pod = await podForTest();
  const bot = script(pod, 'bot').room('lobby');
  await bot.send({ text: 'old' });
  const page = await open(pod.url);
  await page.evaluate(SCREEN_READER);
  const ann = await new Person(page).enters('Ann');
  await expect.poll(ann.texts, PATIENT).toEqual(['old']);
  await expect.poll(() => ann.log.getAttribute('aria-live'), PATIENT).toBe('polite');
  await bot.send({ text: 'new' });
  await expect.poll(ann.texts, PATIENT).toEqual(['old', 'new']);
  const heard = await page.evaluate<string[]>('heard');
  expect(heard.filter((text) => text.includes('new'))).toHaveLength(1);
  expect(heard.filter((text) => text.includes('old'))).toEqual([]);
});

test('on a phone nothing is wider than the screen, and the lists are drawers', async () => {
  const pod = await podForTest();
  const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
  const page = await open(pod.url, phone);
  const ann = new Person(page);
  expect(await ann.width()).toBe(360);
  await ann.enters('Ann');
  const bot = script(pod, 'b'.repeat(200)).room('lobby');
  await bot.join();
  await bot.send({ text: 'w'.repeat(500) });
  await expect.poll(ann.texts, PATIENT).toEqual(['w'.repeat(500)]);
  expect(await ann.width()).toBe(360);

  const rooms = page.getByRole('button', { name: 'Rooms' });
  expect(await ann.room('lobby').isVisible()).toBe(false);
  await rooms.tap();
  expect(await rooms.getAttribute('aria-expanded')).toBe('true');
  await ann.adds('deploys');
  await page.getByRole('heading', { name: 'deploys' }).waitFor();
  expect(await rooms.getAttribute('aria-expanded')).toBe('false');
  expect(await ann.width()).toBe(360);

  const members = page.getByRole('button', { name: '1 member' });
  await members.tap();
  await expect.poll(ann.memberRows, PATIENT).toEqual(['Ann you']);
  await page.keyboard.press('Escape');
  expect(await members.getAttribute('aria-expanded')).toBe('false');
  expect(await ann.focused()).toBe('show-members');
  expect(await ann.width()).toBe(360);
});

test('on a phone the words about the connection and what is on its way find room too', async () => {
  const pod = await podForTest();
  const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
  const ann = new Person(await open(pod.url, phone));
  let kick = async (): Promise<void> => {};
  await ann.page.routeWebSocket(/\/ws/, (socket) => {
    socket.connectToServer();
    kick = () => socket.close({ code: 4403, reason: 'long-reason-'.repeat(10) });
  });
  await ann.enters('Ann');
  await ann.page.getByRole('button', { name: 'Rooms' }).tap();
  await ann.adds('r'.repeat(128));
  await kick();
  await ann.state('disconnected');
  await ann.says('too late');
  await ann.log.getByText('not sent').waitFor();
  expect(await ann.width()).toBe(360);
});

test('the page is dark for those who want it dark', async () => {
  const pod = await podForTest();
  const ground = async (colorScheme: 'dark' | 'light') => {
    const page = await open(pod.url, { colorScheme });
    return page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
  };
  expect(await ground('light')).toBe('rgb(243, 242, 238)');
  expect(await ground('dark')).toBe('rgb(19, 23, 26)');
});

test('nothing moves for those who do not want it', async () => {
  const pod = await podForTest();
  const page = await open(pod.url, { viewport: { width: 360, height: 740 }, reducedMotion: 'reduce' });
  const moving = await page.evaluate(MOVING);
  expect(moving).toBe(0);
});
