import { setTimeout as sleep } from 'node:timers/promises';
import type { Options } from '../../arguments.ts';
import { Member, type ServerFrame } from '../../multi/member.ts';
import { podAt, startPods, times } from '../../multi/pods.ts';
import { spread } from '../../rounds.ts';
import { startRedisGroup } from '../../../../test/support/stack/redis-group.ts';
import { until } from '../../../../test/support/stack/until.ts';
import type { CaseResult } from '../../table.ts';

const DOWN_AFTER_MS = 5000;
const INTERVAL_MS = 20;
const BEFORE_MS = 2000;
const AFTER_MS = 1000;
const GIVE_UP_MS = 60_000;
const ROOM = 'failover';

interface Arrival {
  readonly number: number;
  readonly provisional: boolean;
  readonly at: number;
}

/** In milliseconds since the master was killed. */
interface Reading {
  readonly local: number;
  readonly other: number;
  readonly allThere: number;
  /** The longest that a message took to the members of the pod that published it. */
  readonly longestLocal: number;
  readonly provisional: number;
  /** Published before the kill and nowhere any more. */
  readonly lost: number;
}

/** How long two pods cannot reach each other when the master of a Sentinel group is killed. */
export async function multiFailover({ rounds }: Options): Promise<CaseResult[]> {
  const readings: Reading[] = [];
  for (let round = 0; round < Math.ceil(rounds / 3); round++) readings.push(await measure());
  const row = (label: string, of: (reading: Reading) => number): string[] => [
    label,
    spread(readings.map(of), 0),
  ];
  return [
    {
      name: 'multi-failover',
      title: `The master killed, Sentinel's down-after ${DOWN_AFTER_MS / 1000} s, a message every ${INTERVAL_MS} ms`,
      header: ['', 'ms after the kill'],
      rows: [
        row('first message on the own pod (provisional)', ({ local }) => local),
        row('first message on the other pod, with a position', ({ other }) => other),
        row('all messages on the other pod', ({ allThere }) => allThere),
        row('longest publish to receive on the own pod, ms', ({ longestLocal }) => longestLocal),
        row('messages that were provisional', ({ provisional }) => provisional),
        row('messages from before the kill that are lost', ({ lost }) => lost),
      ],
      figures: readings,
    },
  ];
}

async function measure(): Promise<Reading> {
  const group = await startRedisGroup({ sentinel: { downAfterMs: DOWN_AFTER_MS } });
  // All that is published while nobody is the master is kept, and a pod that comes later than the other reads it.
  const pods = await startPods({ envs: times(2, { ...group.env, HISTORY_SIZE: '10000' }) });
  try {
    const [here, there]: [Arrival[], Arrival[]] = [[], []];
    const { member } = await Member.join(podAt(pods, 0).port, ROOM, { user_id: 'here' }, noteIn(here));
    await Member.join(podAt(pods, 1).port, ROOM, { user_id: 'there' }, noteIn(there));
    const sentAt: number[] = [];
    const publishing = setInterval(() => {
      member.send({ type: 'chat', data: { number: sentAt.push(performance.now()) - 1 } });
    }, INTERVAL_MS);
    await sleep(BEFORE_MS);
    const master = await group.master();
    const [killedAt, before] = [performance.now(), sentAt.length];
    await master.kill();
    const isThere = (): boolean => there.some(({ number }) => number >= before);
    await until('a message on the other pod', isThere, GIVE_UP_MS);
    await sleep(AFTER_MS);
    clearInterval(publishing);
    const last = sentAt.length - 1;
    const isAll = (): boolean => [here, there].every((all) => all.some(({ number }) => number === last));
    await until('the last message', isAll, GIVE_UP_MS);
    return judge({ here, there, sentAt, killedAt, before });
  } finally {
    await pods.stop();
    await group.discard();
  }
}

/** Keeps the messages, of which the frame says the number. */
function noteIn(arrivals: Arrival[]): (frame: ServerFrame) => void {
  return ({ type, provisional = false, data }) => {
    if (type !== 'chat') return;
    const { number } = data as { number: number };
    arrivals.push({ number, provisional, at: performance.now() });
  };
}

interface Records {
  readonly here: readonly Arrival[];
  readonly there: readonly Arrival[];
  readonly sentAt: readonly number[];
  readonly killedAt: number;
  /** The number of the first message that was published after the kill. */
  readonly before: number;
}

function judge({ here, there, sentAt, killedAt, before }: Records): Reading {
  for (const [pod, all] of Object.entries({ own: here, other: there })) {
    const numbers = all.map(({ number }) => number);
    const after = new Set(numbers.filter((number) => number >= before));
    const missing = sentAt.length - before - after.size;
    const twice = numbers.length - new Set(numbers).size;
    const isOrdered = numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? 0));
    if (missing > 0 || twice > 0 || !isOrdered)
      throw new Error(
        `${pod} pod: ${missing} messages are missing, ${twice} came twice, in order: ${isOrdered}`,
      );
  }
  const since = (arrivals: readonly Arrival[]): number[] =>
    arrivals.filter(({ number }) => number >= before).map(({ at }) => at - killedAt);
  const positioned = there.filter(({ provisional }) => !provisional);
  return {
    local: Math.min(...since(here)),
    other: Math.min(...since(positioned)),
    allThere: lastOfOutage(there, sentAt) - killedAt,
    longestLocal: Math.max(...here.map(({ number, at }) => at - (sentAt[number] ?? at))),
    provisional: here.filter(({ provisional }) => provisional).length,
    lost: sentAt.length - new Set(there.map(({ number }) => number)).size,
  };
}

const IN_TIME_MS = 200;

/** When the last message arrived that was late. */
function lastOfOutage(arrivals: readonly Arrival[], sentAt: readonly number[]): number {
  const late = arrivals.filter(({ number, at }) => at - (sentAt[number] ?? at) > IN_TIME_MS);
  return Math.max(...late.map(({ at }) => at));
}
