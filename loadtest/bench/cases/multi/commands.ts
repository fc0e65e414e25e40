import { setTimeout as sleep } from 'node:timers/promises';
import { type CommandLog, type Counts, watchCommands } from '../../multi/command-log.ts';
import { Member } from '../../multi/member.ts';
import { type Pods, podAt, startPods, times } from '../../multi/pods.ts';
import { startRedis } from '../../../../test/support/stack/redis-server.ts';
import type { CaseResult } from '../../table.ts';

const MANY = 200;
const ROOM = 'commands';
/** What follows a little later belongs to it: numbers of connections are written every 100 ms. */
const SETTLE_MS = 500;
const IDLE_MS = 60_000;
/** What counts less than this in one operation was somebody else, such as a lease. */
const NOISE = 0.004;

interface Row {
  readonly what: string;
  readonly counts: Counts;
  /** How often it was done. */
  readonly times: number;
}

/** The commands that Redis gets, and those its scripts call, for each thing a pod does. */
export async function multiCommands(): Promise<CaseResult[]> {
  const redis = await startRedis();
  const pods = await startPods({ envs: times(2, redis.env) });
  const log = await watchCommands(redis.port);
  const rows = [...(await idle('an idle pod, per minute', log, 2)), ...(await busy(pods, log))];
  log.stop();
  await pods.stop();
  await redis.discard();
  return [
    {
      name: 'multi-commands',
      title: `Redis commands, mean of ${MANY}`,
      header: ['', 'sent by pods', 'called inside scripts'],
      rows: rows.map(({ what, counts, times }) => [
        what,
        rendered(counts.sent, times),
        rendered(counts.inside, times),
      ]),
      figures: rows.map(({ what, counts, times }) => ({
        what,
        times,
        sent: Object.fromEntries(counts.sent),
        inside: Object.fromEntries(counts.inside),
      })),
    },
  ];
}

async function idle(what: string, log: CommandLog, pods: number): Promise<Row[]> {
  log.take();
  await sleep(IDLE_MS);
  return [{ what, counts: log.take(), times: (pods * IDLE_MS) / 60_000 }];
}

async function busy(pods: Pods, log: CommandLog): Promise<Row[]> {
  const { port } = podAt(pods, 0);
  const { member: listener } = await Member.join(podAt(pods, 1).port, ROOM, { user_id: 'listener' });
  const { member: publisher } = await Member.join(port, ROOM, { user_id: 'publisher' });
  const members: Member[] = [];
  const join = async (index: number): Promise<void> => {
    const { member } = await Member.join(port, ROOM, { user_id: `u${index}` });
    members.push(member);
  };
  const alone = async (index: number): Promise<void> => {
    await Member.join(port, `${ROOM}-${index}`, { user_id: `u${index}` });
  };
  const state = async (index: number): Promise<void> => {
    await members[index]?.ask({ type: 'presence', room: ROOM, data: { status: 'away' } });
  };
  const publish = async (index: number): Promise<void> => {
    const heard = listener.next(({ type, event }) => type === 'chat' && event === `e${index}`);
    publisher.send({ type: 'chat', event: `e${index}`, data: { text: 'hi' } });
    await heard;
  };
  const publishOnce = async (): Promise<void> => {
    await publisher.ask({ type: 'chat', data: { text: 'hi' } });
  };
  const fleeting = async (): Promise<void> => {
    await publisher.ask({ type: 'chat', ephemeral: true, data: { text: 'hi' } });
  };
  const leave = async (index: number): Promise<void> => {
    await members[index]?.ask({ type: 'leave', room: ROOM });
  };
  const rows: Row[] = [];
  for (const [what, act] of [
    ['publish', publish],
    ['publish with a ref', publishOnce],
    ['publish, ephemeral', fleeting],
    ['join, somebody of the pod is there', join],
    ['join, first of the pod in the room', alone],
    ['presence change', state],
    ['leave, others of the pod stay', leave],
  ] as const)
    rows.push(await count(what, log, act));
  return [...rows, ...(await idle(`two pods with ${MANY} rooms, per minute`, log, 1))];
}

async function count(what: string, log: CommandLog, act: (index: number) => Promise<void>): Promise<Row> {
  await sleep(SETTLE_MS);
  log.take();
  for (let index = 0; index < MANY; index++) await act(index);
  await sleep(SETTLE_MS);
  return { what, counts: log.take(), times: MANY };
}

function rendered(counts: ReadonlyMap<string, number>, times: number): string {
  const each = [...counts].map(([name, count]) => [name, count / times] as const);
  const shown = each.filter(([, mean]) => mean > NOISE * 10).sort(([, a], [, b]) => b - a);
  const total = shown.reduce((sum, [, mean]) => sum + mean, 0);
  return `${rounded(total)}: ${shown.map(([name, mean]) => `${name} ${rounded(mean)}`).join(', ')}`;
}

function rounded(value: number): string {
  return String(Math.round(value * 100) / 100);
}
