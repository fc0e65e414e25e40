import { expect } from 'vitest';
import type { RedisServer } from '../support/stack/redis-server.ts';
import { allAcked, expectEverythingOnce, saidBy, startTalk } from './judge.ts';
import { eventually, type podsOn, ready } from './world.ts';
import { Witness } from './witness.ts';

export interface Crowd {
  readonly room: string;
  readonly speakers: readonly Witness[];
  readonly everybody: readonly Witness[];
  readonly quiet: Witness;
  readonly absent: Witness;
  readonly pods: Awaited<ReturnType<typeof podsOn>>;
}

/** Members on two pods, and one that was there and has gone. */
export async function crowdOn(pods: Awaited<ReturnType<typeof podsOn>>, room = 'room'): Promise<Crowd> {
  const [here, there] = pods;
  const speakers = [
    await Witness.join(here, room, 'alice'),
    await Witness.join(here, room, 'bob'),
    await Witness.join(there, room, 'carol'),
  ];
  const quiet = await Witness.join(there, room, 'quiet');
  const absent = await Witness.join(there, room, 'absent');
  return { room, speakers, everybody: [...speakers, quiet], quiet, absent, pods };
}

/** Everybody talks while the fault lasts, and some time before and after. */
export async function throughout(crowd: Crowd, fault: () => Promise<void>): Promise<void> {
  const { speakers, quiet, absent, pods } = crowd;
  const talk = startTalk(speakers);
  await eventually('some talk', () => absent.heard().length > 50);
  await absent.leave();
  await fault();
  await ready(...pods);
  const after = quiet.heard().length;
  await eventually('more talk', () => quiet.heard().length > after + 100);
  talk.stop();
}

/**
 * Who was away comes back. Where the failover dropped something everybody has to know, and nothing else may be missing;
 * where it did not nobody may be told so.
 */
export async function expectHonesty(
  history: { readonly master: RedisServer; readonly key: string },
  { everybody, absent, speakers, pods }: Crowd,
): Promise<void> {
  const acked = await allAcked(speakers);
  await absent.return(pods[0]);
  const verdict = await absent.verdict();
  const ids = await droppedFrom(history, everybody, speakers);
  if (ids.length === 0) {
    expect(verdict).toEqual(expect.objectContaining({ recovered: true }));
    for (const one of everybody) expect(one.losses()).toEqual([]);
    await expectEverythingOnce([...everybody, absent], speakers);
    return;
  }
  expect(verdict, `${ids.join()} were dropped`).toMatchObject({ reason: 'history_lost' });
  const dropped = new Set([...acked].filter(([, id]) => ids.includes(id)).map(([ref]) => ref));
  const said = saidBy(speakers);
  for (const one of [...everybody, absent]) {
    await eventually(
      `${one.user} to have what is left`,
      () => one.missing(said).every((name) => dropped.has(name.replace(' ', '-'))),
      () => one.missing(said).join(),
    );
    expect(one.losses()).toContain('history_lost');
  }
}

/** Ids of what was acknowledged, or delivered as kept, and is not in the history under this key of this server. */
async function droppedFrom(
  { master, key }: { readonly master: RedisServer; readonly key: string },
  witnesses: readonly Witness[],
  speakers: readonly Witness[],
): Promise<string[]> {
  const entries = (await master.command('XRANGE', key, '-', '+')) as [string, string[]][];
  const kept = new Set(entries.map(([at, [, epoch]]) => `${epoch}.${at}`));
  const acked = await allAcked(speakers);
  const delivered = witnesses.flatMap((one) => one.heard().filter(({ isProvisional }) => !isProvisional));
  const ids = new Set([...acked.values(), ...delivered.map(({ id }) => id)]);
  return [...ids].filter((id) => !kept.has(id.replace(/[.][^.]+[.]/, '.')));
}
