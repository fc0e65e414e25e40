import { beforeAll, expect, test } from 'vitest';
import { gather } from '../client-faults/crowd.ts';
import { connections, get, readyPodsOf, RELEASE, WS_URL } from './cluster.ts';
import { eventually } from './patience.ts';
import { atRest, install } from './release.ts';
import { saw, secondsSince } from './report.ts';

const MOST = 4;
const PEOPLE = 200;
/** So many that all people together ask for all pods. */
const TARGET = PEOPLE / MOST;

beforeAll(async () => {
  await install({ 'autoscaling.targetConnections': TARGET });
  await atRest();
});

async function wanted(): Promise<number> {
  return (await get(`deployment/${RELEASE}`)).spec.replicas;
}

test('connections bring pods, which fill up; when they close pods go, and nothing is lost', async () => {
  expect(await readyPodsOf('gateway')).toHaveLength(2);
  const crowd = await gather(WS_URL, 20, PEOPLE / 20);
  crowd.forgetPresence();
  const full = performance.now();
  const talk = crowd.startTalk(4_000);

  await eventually(`${MOST} pods to be wanted`, async () => (await wanted()) === MOST);
  saw(`200 connections opened, target ${TARGET}, to ${MOST} pods wanted`, secondsSince(full));
  await eventually(`${MOST} pods to be ready`, async () => (await readyPodsOf('gateway')).length === MOST);
  saw(`… to ${MOST} pods ready`, secondsSince(full));

  let counts: number[] = [];
  const isEven = async (): Promise<boolean> => {
    counts = [...(await connections()).values()];
    // As far as rebalancing goes: half of REBALANCE_PERCENT above the mean.
    return counts.length === MOST && Math.max(...counts) <= TARGET * 1.1 + 1 && Math.min(...counts) > 0;
  };
  await eventually('the new pods to be filled', isEven, () => Promise.resolve(counts.join(', ')));
  saw('… to the connections spread by rebalancing', `${secondsSince(full)}: ${counts.join(', ')}`);

  const rest = crowd.people.filter((_, index) => index % 10 < 2);
  const leaving = crowd.people.filter((one) => !rest.includes(one));
  talk.stop();
  await crowd.expectNothingLost();
  for (const { told } of crowd.people) expect(told).toEqual([]);
  for (const { client } of leaving) client.close();
  const emptied = performance.now();
  const again = crowd.startTalk(4_000);
  await eventually('two pods to be wanted', async () => (await wanted()) === 2);
  saw(`${leaving.length} of them closed, to two pods wanted`, secondsSince(emptied));
  await atRest();
  saw('… to two pods left', secondsSince(emptied));
  again.stop();
  await crowd.expectNothingLost(leaving);
});
