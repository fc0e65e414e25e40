import { describe, expect, test } from 'vitest';
import { startPod } from '../support/pod.ts';
import { PATIENT, SERVER_AWAY, useBrowser } from './browser.ts';
import { Person, podForTest, script } from './person.ts';

const open = useBrowser();

async function person(url: string, name: string, options?: Parameters<typeof open>[1]): Promise<Person> {
  return new Person(await open(url, options)).enters(name);
}

describe('chatting', () => {
  test('two people at their tabs and a script chat with each other', async () => {
    const pod = await podForTest();
    const ann = await person(pod.url, 'Ann');
    const bob = await person(pod.url, 'Bob');
    const bot = script(pod, 'bot').room('lobby');
    const heard: unknown[] = [];
    bot.onMessage(({ from, data }) => heard.push([from, data]));
    await bot.join();
    await expect.poll(ann.memberRows, PATIENT).toEqual(['Ann you', 'Bob online', 'bot online']);
    await ann.says('hello from Ann');
    await expect.poll(bob.texts, PATIENT).toEqual(['hello from Ann']);
    await bob.says('hello from Bob');
    await expect.poll(ann.texts, PATIENT).toEqual(['hello from Ann', 'hello from Bob']);
    await bot.send({ text: 'hello from a script' });
    await expect
      .poll(ann.texts, PATIENT)
      .toEqual(['hello from Ann', 'hello from Bob', 'hello from a script']);
    await expect
      .poll(bob.texts, PATIENT)
      .toEqual(['hello from Ann', 'hello from Bob', 'hello from a script']);
    expect(heard).toEqual([
      ['Ann', { text: 'hello from Ann' }],
      ['Bob', { text: 'hello from Bob' }],
      ['bot', { text: 'hello from a script' }],
    ]);
  });

  test('a message shows who said it and when, and one’s own are marked', async () => {
    const pod = await podForTest();
    const ann = await person(pod.url, 'Ann');
    const bot = script(pod, 'bot').room('lobby');
    await bot.send({ text: 'theirs' });
    await expect.poll(ann.texts, PATIENT).toEqual(['theirs']);
    await ann.says('mine');
    await expect.poll(ann.texts, PATIENT).toEqual(['theirs', 'mine']);
    const [theirs, mine] = await ann.log.locator('.message').all();
    expect(await theirs?.locator('.author').textContent()).toBe('bot');
    expect(await theirs?.getAttribute('class')).not.toContain('own');
    expect(await mine?.getAttribute('class')).toContain('own');
    expect(await mine?.innerText()).toContain('You');
    const when = await mine?.locator('time').getAttribute('datetime');
    expect(when).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  test('what others send is shown as text, whatever it is', async () => {
    const pod = await podForTest();
    const ann = await person(pod.url, 'Ann');
    const evil = '<img src=x onerror="document.title=\'taken\'"><script>document.title="taken"</script>';
    const eve = script(pod, '<b onmouseover=alert(1)>Eve</b>').room('lobby');
    await eve.join();
    await eve.send({ text: evil });
    await eve.send(evil);
    await eve.send({ html: '<b>' });
    await eve.send(null);
    await expect.poll(ann.texts, PATIENT).toEqual([evil, evil, '{"html":"<b>"}', 'null']);
    expect(await ann.log.locator('.author').textContent()).toBe('<b onmouseover=alert(1)>Eve</b>');
    await expect.poll(ann.memberRows, PATIENT).toEqual(['Ann you', '<b onmouseover=alert(1)>Eve</b> online']);
    expect(await ann.page.locator('.log img, .log script, .log b, #members b').count()).toBe(0);
    expect(await ann.page.title()).toBe('Crosspod');
  });

  test('who arrives finds the history, the latest fifty messages', async () => {
    const pod = await podForTest();
    const bot = script(pod, 'bot').room('lobby');
    const texts = Array.from({ length: 60 }, (_, n) => `message ${n}`);
    for (const text of texts) await bot.send({ text });
    const ann = await person(pod.url, 'Ann');
    await expect.poll(ann.texts, PATIENT).toEqual(texts.slice(10));
    expect(await ann.room('lobby').textContent()).toBe('lobby');
  });

  test('a message in another room is marked as unread until one looks', async () => {
    const pod = await podForTest();
    const ann = await person(pod.url, 'Ann');
    await ann.adds('deploys');
    await ann.room('lobby').click();
    const bot = script(pod, 'bot').room('deploys');
    await bot.send({ text: 'rolled out' });
    await bot.send({ text: 'all well' });
    await ann.room('deploys 2 unread').waitFor();
    expect(await ann.page.title()).toBe('(2) Crosspod');
    await ann.room('deploys').click();
    await expect.poll(ann.texts, PATIENT).toEqual(['rolled out', 'all well']);
    await expect.poll(() => ann.page.title(), PATIENT).toBe('Crosspod');
    expect(await ann.room('deploys').textContent()).toBe('deploys');
  });

  test('who turns to another tab is shown as away, and as online when they are back', async () => {
    const pod = await podForTest();
    const ann = await person(pod.url, 'Ann');
    const bob = await person(pod.url, 'Bob');
    await bob.looksAway();
    await expect.poll(ann.memberRows, PATIENT).toEqual(['Ann you', 'Bob away']);
    await bob.looksBack();
    await expect.poll(ann.memberRows, PATIENT).toEqual(['Ann you', 'Bob online']);
  });

  test('who has two tabs is online as long as they look at one of them', async () => {
    const pod = await podForTest();
    const ann = await person(pod.url, 'Ann');
    const bob = await person(pod.url, 'Bob');
    const second = new Person(await bob.page.context().newPage());
    await second.page.goto(pod.url);
    await second.state('connected');
    const heard: string[] = [];
    const bot = script(pod, 'bot').room('lobby');
    bot.onPresence(({ user_id: user, status }) => heard.push(`${user} ${status}`));
    await bot.join();
    await bob.looksAway();
    await expect.poll(() => heard, PATIENT).toEqual(['Bob away', 'Bob online']);
    await expect.poll(ann.memberRows, PATIENT).toEqual(['Ann you', 'Bob online', 'bot online']);
  });

  test('who leaves a room is gone from its members, and does not return to it with the next visit', async () => {
    const pod = await podForTest();
    const ann = await person(pod.url, 'Ann');
    const bob = await person(pod.url, 'Bob');
    for (const each of [ann, bob]) await each.adds('deploys');
    await expect.poll(ann.memberRows, PATIENT).toEqual(['Ann you', 'Bob online']);
    await bob.page.getByRole('button', { name: 'Leave this room' }).click();
    await expect.poll(ann.memberRows, PATIENT).toEqual(['Ann you']);
    await bob.page.reload();
    await bob.state('connected');
    expect(await bob.room('deploys').count()).toBe(0);
    expect(await bob.room('lobby').count()).toBe(1);
  });

  test('the name is remembered, and names that cannot be are explained', async () => {
    const pod = await podForTest();
    const ann = new Person(await open(pod.url));
    const enter = ann.page.getByRole('button', { name: 'Enter' });
    await enter.click();
    const problem = ann.page.getByRole('alert');
    await expect.poll(() => problem.textContent(), PATIENT).toBe('Enter a name.');
    await ann.page.getByLabel('Your name').fill('system');
    await enter.click();
    await expect.poll(() => problem.textContent(), PATIENT).toMatch('This name is not allowed');
    await ann.enters('Ann');
    await ann.page.reload();
    await ann.state('connected');
    await expect.poll(ann.memberRows, PATIENT).toEqual(['Ann you']);
    await ann.page.getByRole('button', { name: 'Change name' }).click();
    await ann.page.getByLabel('Your name').waitFor();
  });

  test('a room name that cannot be is explained', async () => {
    const pod = await podForTest();
    const ann = await person(pod.url, 'Ann');
    await ann.adds('no spaces');
    await ann.page.getByRole('alert').filter({ hasText: 'A room name has letters' }).waitFor();
    expect(await ann.page.getByLabel('Join or open a room').getAttribute('aria-invalid')).toBe('true');
  });
});

test('a message that the server refuses stays, with the reason, until it is sent again or discarded', async () => {
  const pod = await podForTest();
  const ann = new Person(await open(pod.url));
  let limited = true;
  await ann.page.routeWebSocket(/\/ws/, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((text) => {
      const { type, ref } = JSON.parse(String(text)) as { type: string; ref?: string };
      const data = { code: 'rate_limited', error: 'too many messages' };
      if (limited && type === 'chat') socket.send(JSON.stringify({ type: 'error', ref, data }));
      else server.send(text);
    });
  });
  await ann.enters('Ann');
  for (const text of ['one', 'two']) await ann.says(text);
  const failed = ann.log.locator('.failed');
  await expect.poll(() => failed.locator('.text').allTextContents(), PATIENT).toEqual(['one', 'two']);
  expect(await failed.first().innerText()).toContain('not sent: too many messages');
  await failed.first().getByRole('button', { name: 'Discard' }).click();
  limited = false;
  await failed.getByRole('button', { name: 'Try again' }).click();
  await expect.poll(ann.texts, PATIENT).toEqual(['two']);
  expect(await failed.count()).toBe(0);
});

test('a connection that is closed for good says so, and can be begun again by hand', async () => {
  const pod = await podForTest();
  const ann = new Person(await open(pod.url));
  let kick = async (): Promise<void> => {};
  await ann.page.routeWebSocket(/\/ws/, (socket) => {
    socket.connectToServer();
    kick = () => socket.close({ code: 4403, reason: 'enough for today' });
  });
  await ann.enters('Ann');
  await kick();
  await ann.state('disconnected');
  await ann.isTold('The operator of this server has disconnected you: “enough for today”.');
  await ann.says('too late');
  await ann.log.getByText('not sent: you are disconnected').waitFor();
  await ann.page.getByRole('button', { name: 'Connect again' }).click();
  await ann.state('connected');
  await ann.says('again');
  await expect.poll(ann.texts, PATIENT).toEqual(['again']);
});

describe('a pod that dies', () => {
  test('the person sees that the page reconnects, and goes on where they were', async () => {
    const pod = await podForTest();
    const ann = await person(pod.url, 'Ann', { expected: SERVER_AWAY });
    await ann.says('before');
    await expect.poll(ann.texts, PATIENT).toEqual(['before']);
    await pod.kill();
    await ann.state('reconnecting…');
    await ann.says('written while it was away');
    await ann.log.getByText('sending…').waitFor();
    const next = await podForTest(pod.ports);
    await ann.state('connected');
    await expect.poll(ann.texts, PATIENT).toEqual(['before', 'written while it was away']);
    await ann.log.getByText('You may have missed messages: the server has lost its history.').waitFor();
    expect(await ann.log.getByText('sending…').count()).toBe(0);
    await script(next, 'bot').room('lobby').send({ text: 'welcome back' });
    await expect.poll(ann.texts, PATIENT).toEqual(['before', 'written while it was away', 'welcome back']);
  });

  test('a pod that stops and starts again is no end of the conversation', async () => {
    const pod = await startPod();
    const ann = await person(pod.url, 'Ann', { expected: SERVER_AWAY });
    const bob = await person(pod.url, 'Bob', { expected: SERVER_AWAY });
    expect(await pod.stop()).toEqual({ code: 0, signal: null });
    await Promise.all([ann.state('reconnecting…'), bob.state('reconnecting…')]);
    await podForTest(pod.ports);
    await Promise.all([ann.state('connected'), bob.state('connected')]);
    await expect.poll(ann.memberRows, PATIENT).toEqual(['Ann you', 'Bob online']);
    await bob.says('still here');
    await expect.poll(ann.texts, PATIENT).toEqual(['still here']);
  });
});
