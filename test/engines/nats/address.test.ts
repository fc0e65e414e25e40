import { describe, expect, test } from 'vitest';
import { podOn, presenceIs, ready, readiness, SLOW } from '../../faults/world.ts';
import { allHeard, saidBy } from '../../faults/judge.ts';
import { createCertificate } from '../../support/certificate.ts';
import { documentedRights } from './rights.ts';
import { natsOf } from './world.ts';
import { Witness } from '../../faults/witness.ts';

const LOGIN = { user: 'crosspod', password: 'p@ss:w/hidden' };

describe('A pod on a NATS that requires a login and TLS', () => {
  test('connects', SLOW, async () => {
    const nats = await natsOf({ ...LOGIN, tls: createCertificate() });
    const pod = await podOn(nats);
    await ready(pod);
    const alice = await Witness.join(pod, 'room', 'alice');
    alice.say();
    await allHeard([alice], saidBy([alice]));
    expect(pod.output()).not.toContain('hidden');
  });

  test('serves without it if the password is wrong, and does not log the password', SLOW, async () => {
    const nats = await natsOf(LOGIN);
    const pod = await podOn(nats, { NATS_URL: `nats://crosspod:hidden2@127.0.0.1:${nats.port}` });
    expect(await readiness(pod)).toBe('200 degraded');
    expect(pod.output()).toMatch(/NATS is unavailable/);
    expect(pod.output()).not.toMatch(/hidden/);
  });
});

test('A pod finds a running server among those that are configured', SLOW, async () => {
  const [gone, nats] = [await natsOf(), await natsOf()];
  await gone.kill();
  const pod = await podOn(nats, { NATS_URL: `${gone.url},${nats.url}` });
  await ready(pod);
});

test('A pod that starts before NATS is ready once NATS is', SLOW, async () => {
  const nats = await natsOf();
  await nats.kill();
  const pod = await podOn(nats);
  expect(await readiness(pod)).toBe('200 degraded');
  await nats.start();
  await ready(pod);
});

test('A NATS that cannot store anything is unavailable, and the log says why', SLOW, async () => {
  const nats = await natsOf();
  const pod = await podOn(nats, { NATS_REPLICAS: '3' });
  expect(await readiness(pod)).toBe('200 degraded');
  expect(pod.output()).toMatch(/NATS is unavailable[^]*replicas|replicas[^]*NATS is unavailable/);
});

test('A pod needs no other rights than the documented ones', SLOW, async () => {
  const permissions = JSON.stringify(documentedRights());
  const user = `{ user: "crosspod", password: "hidden", permissions: ${permissions} }`;
  const nats = await natsOf({ config: [`authorization { users: [ ${user} ] }`] });
  const env = { NATS_URL: `nats://crosspod:hidden@127.0.0.1:${nats.port}` };
  const [here, there] = [await podOn(nats, env), await podOn(nats, env)];
  await ready(here, there);
  const alice = await Witness.join(here, 'room', 'alice');
  const bob = await Witness.join(there, 'room', 'bob');
  alice.say();
  bob.say({ ephemeral: true });
  await allHeard([alice, bob], saidBy([alice, bob]));
  await presenceIs([here, there], 'room', ['alice', 'bob']);
  for (const pod of [here, there]) expect(pod.output()).not.toMatch(/permission/i);
  expect(nats.output()).not.toMatch(/violation/i);
});
