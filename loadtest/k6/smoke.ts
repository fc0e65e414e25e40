import { check } from 'k6';
import exec from 'k6/execution';
import http from 'k6/http';
import { Person, until } from './person.ts';
import { type Plan, planOf } from './plan.ts';
import { ASK } from './pods.ts';
import { readSettings } from './settings.ts';
import { summaryOf } from './summary.ts';
import { tokenFor } from './token.ts';
import { judge } from './judged.ts';
import { accounted, unaccounted } from './figures.ts';

const settings = readSettings(__ENV, { VUS: '1', ROOMS: '1', DURATION: '20s' });
const { baseUrl, wsPath, vus, duration, apiKey, token, jwtSecret } = settings;

/** Where clients need a token, the HTTP API needs a key. */
const hasApi = apiKey !== undefined || (token === undefined && jwtSecret === undefined);

/** An iteration that breaks off has failed no check, and counts among the iterations. */
const thresholds = { checks: ['rate==1'], unaccounted: ['count==0'], accounted: ['count>0'] };

export const options = {
  scenarios: {
    people: { executor: 'constant-vus', vus, duration: `${duration}s`, gracefulStop: '60s' },
  },
  thresholds,
  noConnectionReuse: true,
  systemTags: ['status', 'name', 'check', 'error_code'],
};

export function setup(): Plan {
  judge(thresholds);
  return planOf(settings);
}

/** Everything once, step by step. */
export default async function smoke({ run }: Plan): Promise<void> {
  unaccounted.add(1);
  const room = `${run}-${exec.scenario.iterationInTest}`;
  const alice = new Person(`${room}-alice`, settings);
  const bob = new Person(`${room}-bob`, settings);
  try {
    await arrive(room, alice, bob);
    await talk(room, alice, bob);
    await comeBack(room, alice, bob);
    if (hasApi) await publishByHttp(room, alice);
    refuse();
    unaccounted.add(-1);
    accounted.add(1);
  } finally {
    alice.client.close();
    bob.client.close();
  }
}

async function arrive(room: string, ...people: Person[]): Promise<void> {
  const stats = http.get(`${baseUrl}${wsPath}/stats`, { ...ASK, tags: { name: 'stats' } });
  check(stats, { 'statistics are there': ({ status }) => status === 200 });
  for (const { client } of people) {
    client.join(room);
    client.open();
  }
  const areIn = await until(() => people.every(({ joined }) => joined.length === 1));
  check(areIn, { 'both have joined': Boolean });
}

async function talk(room: string, alice: Person, bob: Person): Promise<void> {
  const ref = alice.client.publish(room, { n: 1 });
  check(await until(() => alice.acks.has(ref)), { 'a message with a ref is acked': Boolean });
  const isHeard = await until(() => [alice, bob].every(({ heard }) => heard.includes(1)));
  check(isHeard, { 'both hear it': Boolean });
  const first = alice.acks.get(ref);
  alice.acks.delete(ref);
  alice.client.publish(room, { n: 1 }, ref);
  await until(() => alice.acks.has(ref));
  check(alice.acks.get(ref), {
    'sent again it is the same message': (id) => id === first && id !== undefined,
  });
  bob.client.send({ type: 'presence', room, data: { status: 'away' } });
  const isAway = (): boolean =>
    alice.presence.some(({ from, data }) => from === bob.user && data?.status === 'away');
  check(await until(isAway), { 'presence is told': Boolean });
}

/** Bob leaves and is back with the last id he has, on whichever pod. */
async function comeBack(room: string, alice: Person, bob: Person): Promise<void> {
  bob.client.close();
  const isGone = (): boolean =>
    alice.presence.some(({ from, data }) => from === bob.user && data?.status === 'offline');
  check(await until(isGone), { 'who leaves is seen to': Boolean });
  const refs = [2, 3, 4].map((n) => alice.client.publish(room, { n }));
  await until(() => refs.every((ref) => alice.acks.has(ref)));
  const back = new Person(bob.user, settings);
  back.client.join(room, bob.client.position.get(room));
  back.client.open();
  const hasAll = await until(() => back.heard.length >= refs.length);
  check(hasAll && back.heard.join(), { 'who comes back gets what it missed': (heard) => heard === '2,3,4' });
  check(back.joined[0]?.data, {
    'and is told so': (data) => data?.recovered === true && data.replayed === 3,
  });
  check(bob.heard.join(), { 'nothing came twice': (heard) => heard === '1' });
  back.client.close();
}

async function publishByHttp(room: string, alice: Person): Promise<void> {
  const headers = {
    'Content-Type': 'application/json',
    ...(apiKey === undefined ? {} : { 'X-API-Key': apiKey }),
  };
  const params = { ...ASK, headers, tags: { name: 'api' } };
  const answer = http.post(
    `${baseUrl}/api/rooms/${room}/messages`,
    JSON.stringify({ data: { n: 5 } }),
    params,
  );
  check(answer, { 'the HTTP API publishes': ({ status }) => status >= 200 && status < 300 });
  check(await until(() => alice.heard.includes(5)), { 'and it is heard': Boolean });
}

function refuse(): void {
  const allowed = tokenFor('nobody', settings);
  const headers = allowed === undefined ? {} : { Authorization: `Bearer ${allowed}` };
  const address = `${baseUrl}${wsPath}?explain=1&room=${encodeURIComponent('no room')}`;
  const answer = http.get(address, { ...ASK, headers, tags: { name: 'explain' } });
  check(answer, { 'a room that cannot be is refused': ({ status }) => status === 400 });
}

export const handleSummary = summaryOf('smoke', settings);
