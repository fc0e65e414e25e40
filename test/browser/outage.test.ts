import { describe, expect, onTestFinished, test } from 'vitest';
import type { PodProcess } from '../support/stack/pods.ts';
import { type Stack, startStack } from '../support/stack/stack.ts';
import type { Crosspod, Room } from '../../src/client/client.ts';
import { PATIENT, SERVER_AWAY, stopClock, useBrowser } from './browser.ts';
import { Person, podForTest, script } from './person.ts';

const open = useBrowser();

const SETTINGS = {
  // A drain that a test can wait for.
  DRAIN_DELAY_SECONDS: '0',
  DRAIN_WINDOW_SECONDS: '2',
  // Much longer than any test: neither end notices by its heartbeat that a line is dead.
  HEARTBEAT_SECONDS: '600',
  HEARTBEAT_TIMEOUT_SECONDS: '1200',
};
/** The stack starts in them, and a line that is doubted has five seconds to prove itself. */
const SLOW = { timeout: 90_000 };
const VERY_PATIENT = { timeout: 30_000 };

/** Another person, by a script. */
class Other {
  readonly #room: Room;
  /** What Ann said, as this person heard it. */
  readonly heard: string[] = [];

  constructor(client: Crosspod) {
    this.#room = client.room('lobby');
    this.#room.onMessage(({ from, data }) => {
      if (from === 'Ann') this.heard.push((data as { text: string }).text);
    });
  }

  /** Says some things, one after the other; the texts. */
  async talks(about: string): Promise<string[]> {
    await this.#room.join();
    const texts = Array.from({ length: 5 }, (_, n) => `${about} ${n + 1}`);
    for (const text of texts) await this.#room.send({ text });
    return texts;
  }
}

interface Scene {
  readonly stack: Stack;
  readonly ann: Person;
  /** The pod that she is connected to. */
  readonly hers: PodProcess;
  /** On another pod. */
  readonly bob: Other;
  /** What was said before anything broke. */
  readonly before: readonly string[];
}

/** Ann comes by HAProxy, Bob goes to the other pod; they talk. */
async function scene(): Promise<Scene> {
  const stack = await startStack({ pods: 2, env: SETTINGS });
  onTestFinished(() => stack.stop());
  const ann = new Person(await open(stack.haproxy?.url ?? '', { expected: SERVER_AWAY }));
  await ann.page.clock.install();
  await ann.enters('Ann');
  const [one, two] = stack.pods;
  if (one === undefined || two === undefined) throw new Error('there are not two pods');
  const [hers, other] = (await connectionsOf(one)) === 1 ? [one, two] : [two, one];
  const bob = new Other(script(other, 'Bob'));
  const before = await bob.talks('before');
  await expect.poll(ann.texts, PATIENT).toEqual(before);
  return { stack, ann, hers, bob, before };
}

async function connectionsOf({ url }: PodProcess): Promise<number> {
  const answer = await fetch(`${url}/ws/stats`);
  return ((await answer.json()) as { connections: number }).connections;
}

/** All was seen once and in order, and now they talk as before. */
async function goOnTalking({ ann, bob }: Pick<Scene, 'ann' | 'bob'>, seen: readonly string[]): Promise<void> {
  await expect.poll(ann.texts, PATIENT).toEqual(seen);
  const live = await bob.talks('live');
  await expect.poll(ann.texts, PATIENT).toEqual([...seen, ...live]);
  await ann.says('the last word');
  await expect.poll(ann.texts, PATIENT).toEqual([...seen, ...live, 'the last word']);
  // Were anything of Ann's to arrive twice, it would have come before that.
  await expect.poll(() => bob.heard, PATIENT).toEqual(['written meanwhile', 'the last word']);
  expect(await ann.log.getByText('sending…').count()).toBe(0);
  expect(await ann.log.locator('.notice').count()).toBe(0);
}

describe('the pod of a page goes away while somebody talks: the page goes on with what was missed', () => {
  test.each([
    ['killed', (pod: PodProcess) => pod.kill()],
    ['stopped', (pod: PodProcess) => pod.stop()],
  ])('it is %s', SLOW, async (_, lose) => {
    const { ann, bob, hers, before } = await scene();
    await stopClock(ann.page);
    const end = lose(hers);
    await ann.state('reconnecting…');
    const missed = await bob.talks('missed');
    await ann.says('written meanwhile');
    await end;
    expect(await ann.texts()).toEqual(before);
    expect(bob.heard).toEqual([]);
    await ann.page.clock.resume();
    await ann.state('connected');
    await goOnTalking({ ann, bob }, [...before, ...missed, 'written meanwhile']);
  });
});

/**
 * Chromium (156) leaves a WebSocket open when it is told to be offline, but lets nothing through it any more, in
 * neither direction, until it is online again: a line that is dead without a word. New connections fail at once.
 */
test('a tab that was offline shows what was missed, without being loaded anew', SLOW, async () => {
  const pod = await podForTest(SETTINGS);
  const ann = await new Person(await open(pod.url, { expected: SERVER_AWAY })).enters('Ann');
  const bob = new Other(script(pod, 'Bob'));
  const before = await bob.talks('before');
  await expect.poll(ann.texts, PATIENT).toEqual(before);
  await ann.page.evaluate('window.sameVisit = true');
  await ann.page.context().setOffline(true);
  await ann.state('offline');
  await ann.isTold('You are offline. The page sends what you write when you are online again.');
  const missed = await bob.talks('missed');
  await ann.says('written meanwhile');
  await ann.log.getByText('sending…').waitFor();
  expect(await ann.texts()).toEqual(before);
  expect(bob.heard).toEqual([]);
  await ann.page.context().setOffline(false);
  await ann.state('connected');
  await ann.page.locator('#trouble').waitFor({ state: 'hidden' });
  await goOnTalking({ ann, bob }, [...before, ...missed, 'written meanwhile']);
  expect(await ann.page.evaluate<boolean>('window.sameVisit')).toBe(true);
});

test('a tab that is shown again finds out that its line has died, and comes back', SLOW, async () => {
  const { stack, ann, bob, hers, before } = await scene();
  await ann.looksAway();
  // Its connections stay open and nothing comes through them; HAProxy leads new ones to the other pod.
  hers.freeze();
  await expect.poll(async () => (await stack.haproxy?.podStates())?.get(hers.name), PATIENT).toMatch(/^DOWN/);
  const missed = await bob.talks('missed');
  await ann.says('written meanwhile');
  expect(await ann.texts()).toEqual(before);
  await ann.state('connected');
  const states = await ann.watchesState();
  await ann.looksBack();
  await expect.poll(states, VERY_PATIENT).toEqual(['reconnecting…', 'connected']);
  await goOnTalking({ ann, bob }, [...before, ...missed, 'written meanwhile']);
});
