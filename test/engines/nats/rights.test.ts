import { ALL_WAYS, everything } from '../../many-pods/everything.ts';
import {
  connect,
  credsAuthenticator,
  errors,
  type Msg,
  type NatsConnection,
  nanos,
} from '@nats-io/transport-node';
import { envOf, operatedNats, type OperatedNats } from './operator.ts';
import { eventually, podOn, ready, SLOW } from '../../faults/world.ts';
import { expect, onTestFinished, test } from 'vitest';
import { expectAway, podOf } from './pod-of-user.ts';
import { fresh, guest, join as joined, member, published } from '../../integration/people.ts';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { documentedRights } from './rights.ts';
import { metric, post } from '../../many-pods/world.ts';

/** A user of the pods' account with all rights, until the server ends; records the requests to JetStream. */
async function auditorOf({ server, account }: OperatedNats, asked: Set<string>): Promise<NatsConnection> {
  const auditor = await connect({
    servers: `127.0.0.1:${server.port}`,
    authenticator: credsAuthenticator(Buffer.from(account.user().credentials)),
    reconnect: false,
  });
  onTestFinished(() => auditor.close());
  const callback = (_error: unknown, { subject }: Msg): void => void asked.add(shortened(subject));
  for (const subject of ['$JS.API.>', '$JS.FC.>']) auditor.subscribe(subject, { callback });
  await auditor.flush();
  return auditor;
}

/** Changes the settings of the streams, and fills some so that the server uses flow control. */
async function tamper(auditor: NatsConnection): Promise<void> {
  const [js, jsm] = [jetstream(auditor), await jetstreamManager(auditor)];
  for (const what of ['leases.filler.', 'presence.filler.', 'denials.filler-'])
    for (let n = 0; n < 100; n += 1) await js.publish(`realtime.${what}${n}`, 'x'.repeat(50_000));
  for await (const { config } of jsm.streams.list())
    await jsm.streams.update(config.name, { max_age: config.max_age + nanos(1_000) });
}

/** With `js_ack_fc_v2` a server names domain and account before the stream; which form it uses does not matter here. */
function shortened(subject: string): string {
  return subject.replace(/^\$JS\.FC\.[^.]+\.[^.]+\.realtime-/, '$$JS.FC.realtime-');
}

/** As NATS does it. */
function matches(right: string, subject: string): boolean {
  const [tokens, words] = [right.split('.'), subject.split('.')];
  const isLong = tokens.at(-1) === '>' ? words.length >= tokens.length : words.length === tokens.length;
  return isLong && tokens.every((token, n) => token === '*' || token === '>' || token === words[n]);
}

/** A room with a value, and one that is asked for although the API may have given it. */
const RULES = 'rooms: [{ match: valued, last_value: true }, { match: "of-{user}" }]';

/** Two pods use every feature, and also reconnect to a server that was unavailable. */
async function useAll(nats: OperatedNats, env: Record<string, string>): Promise<void> {
  const [one, two] = [await podOn({ env }, ALL_WAYS), await podOn({ env }, ALL_WAYS)];
  await ready(one, two);
  await everything(one, two);
  await post(one, '/api/users/banned/block', { seconds: 1 });
  const someone = await guest(one);
  await published(someone, { room: 'valued', data: 'newest' });
  someone.send({ type: 'join', room: 'of-another' });
  await someone.next({ type: 'error', data: { code: 'forbidden' } });
  for (const pod of [one, two]) expect(await metric(pod, 'realtime_nats_losses')).toBe(0);
  const room = fresh('alone');
  const alice = await member(one, room, 'alice');
  await nats.server.kill();
  alice.send({ type: 'chat', room, data: 1 });
  await alice.next({ data: 1 });
  await nats.server.start();
  await ready(one, two);
  for (const pod of [one, two]) expect(pod.output()).not.toMatch(/permission/i);
}

test('A pod needs exactly the rights that docs/platform/nats.md lists', SLOW, async () => {
  const nats = await operatedNats();
  const asked = new Set<string>();
  await auditorOf(nats, asked);
  const rights = documentedRights();
  const path = join(nats.server.folder, 'rooms.yaml');
  writeFileSync(path, RULES);
  const env = { ...envOf(nats, nats.account.user({ rights })), ROOMS_FILE: path };
  await useAll(nats, env);
  await tamper(await auditorOf(nats, asked));
  const late = await podOn({ env }, ALL_WAYS);
  await ready(late);
  expect(await joined(await guest(late), 'valued')).toMatchObject({ data: { replayed: 1 } });
  const ofJetStream = rights.publish.filter((right) => right.startsWith('$JS.'));
  const idle = (): string[] =>
    ofJetStream.filter((right) => ![...asked].some((subject) => matches(shortened(right), subject)));
  await eventually(
    'use of all rights',
    () => idle().length === 0,
    () => idle().join(),
  );
  expect(late.output()).not.toMatch(/permission/i);
  expect(nats.server.output()).not.toMatch(/violation/i);
});

test('The documented rights permit flow control answers, whichever form of the subject a server uses', async () => {
  const nats = await operatedNats();
  const { credentials } = nats.account.user({ rights: documentedRights() });
  const user = await connect({
    servers: `127.0.0.1:${nats.server.port}`,
    authenticator: credsAuthenticator(Buffer.from(credentials)),
    reconnect: false,
  });
  onTestFinished(() => user.close());
  const denied: string[] = [];
  void (async () => {
    for await (const status of user.status())
      if (status.type === 'error' && status.error instanceof errors.PermissionViolationError)
        denied.push(status.error.subject);
  })();
  // With `js_ack_fc_v2` the domain (`_`: none) and a hash of the account precede the stream.
  for (const before of ['', '_.AbCd1234.', 'hub.AbCd1234.'])
    for (const what of ['presence', 'leases', 'history'])
      user.publish(`$JS.FC.${before}realtime-${what}.pod-1.XyZ`);
  await user.flush();
  await expect.poll(() => denied.length).toBe(3);
  expect(denied.every((subject) => subject.includes('realtime-history'))).toBe(true);
});

test('The log names the missing right for flow control answers', SLOW, async () => {
  const nats = await operatedNats();
  await ready(await podOf(nats, nats.account.user()));
  await tamper(await auditorOf(nats, new Set()));
  const { publish, subscribe } = documentedRights();
  const rights = { publish: publish.filter((right) => !right.startsWith('$JS.FC.')), subscribe };
  const user = nats.account.user({ rights });
  await expectAway(await podOf(nats, user), user, /no permission for publish of \$JS\.FC\.(.+\.)?realtime-/);
});
