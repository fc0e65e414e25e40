import { afterAll, describe, expect, test } from 'vitest';
import { startPod } from '../support/pod.ts';
import { type Client, open } from '../support/client.ts';
import { fresh, member, namedListener, settled } from './people.ts';

const pod = await startPod();
afterAll(() => pod.stop());

/** JSON text: what a client may put into `data`. */
const KINDS: [string, string][] = [
  ['null', 'null'],
  ['true', 'true'],
  ['false', 'false'],
  ['zero', '0'],
  ['a negative fraction', '-0.1'],
  ['the largest double', '1.7976931348623157e+308'],
  ['the smallest double', '5e-324'],
  ['a large whole number', '9007199254740991'],
  ['an empty string', '""'],
  ['text with quotes, backslashes and slashes', '"\\"a\\"\\\\b/c"'],
  ['control characters', '"\\u0000\\u0001\\t\\n\\r\\u001f"'],
  ['the separators of lines and paragraphs', '"\\u2028\\u2029"'],
  ['unicode', '"Zoë 用户 עברית 👩‍👩‍👧‍👦 e\\u0301"'],
  ['a lone high surrogate', '"\\ud83d"'],
  ['a lone low surrogate', '"x\\udc00y"'],
  ['surrogates in the wrong order', '"\\udc00\\ud83d"'],
  ['a lone surrogate as a key', '{"\\ud800":1}'],
  ['an empty list', '[]'],
  ['an empty object', '{}'],
  ['a list of everything', '[null,true,1,"a",[[]],{"a":[{}]}]'],
  ['a nested object', '{"a":{"b":{"c":[1,{"d":null}]}}}'],
  ['a key __proto__', '{"__proto__":{"polluted":true}}'],
  ['nested keys __proto__ and constructor', '{"a":{"__proto__":[1]},"constructor":{"prototype":null}}'],
  ['keys of the envelope', '{"id":"x","from":"system","type":"error","room":"-","ref":"r"}'],
  ['an empty key', '{"":""}'],
  ['markup', '"<script>alert(1)</script>&amp;"'],
  ['what String.replace would take for a pattern', '"$& $1 $` $\'"'],
];

describe('data passes through unchanged when it is', () => {
  test.each(KINDS)('%s', async (_, json) => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const listener = await namedListener(pod, room, 'zoe', ['broadcast']);
    alice.send(`{"type":"chat","room":"${room}","data":${json}}`);
    const expected = JSON.stringify(JSON.parse(json));
    const live = await alice.next({ type: 'chat' });
    expect(JSON.stringify(live['data'])).toBe(expected);
    const broadcast = await listener.next({ type: 'broadcast', channel: room });
    expect(JSON.stringify(broadcast['payload'])).toBe(expected);
    const late = await open(pod, `/ws/${room}?history=1`);
    expect(JSON.stringify((await late.next({ type: 'chat' }))['data'])).toBe(expected);
  });

  test('a number with more digits than a double has: the nearest double', async () => {
    const alice = await member(pod, fresh(), 'alice');
    alice.send('{"data":9007199254740993}');
    await alice.next({ data: 9007199254740992 });
  });

  test('absent: null', async () => {
    const alice = await member(pod, fresh(), 'alice');
    alice.send({ type: 'chat' });
    await alice.next({ type: 'chat', data: null });
  });

  test('of nearly the largest size', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const data = 'é'.repeat(32_000);
    alice.send({ room, data });
    expect((await alice.next({ type: 'chat' }))['data']).toBe(data);
  });
});

test('text in other places than data passes through unchanged, too', async () => {
  const room = fresh();
  const alice = await open(pod, `/ws/${room}?user_id=${encodeURIComponent('"Zoë" \\ $& 👋')}`);
  await alice.next({ event: 'joined' });
  const event = '"quoted" \\ $& \u2028 👋 \n';
  const ref = '"ref" \\ $& 👋';
  alice.send({ room, event, ref, data: 1 });
  await alice.next({ type: 'chat', event, from: '"Zoë" \\ $& 👋' });
  await alice.next({ type: 'ack', ref });
});

test('meta of the presence passes through unchanged, too', async () => {
  const room = fresh();
  const alice = await member(pod, room, 'alice');
  const bob = await member(pod, room, 'bob');
  const meta = '{"__proto__":{"x":1},"$&":"$`","n":null,"s":"\\ud800"}';
  bob.send(`{"type":"presence","room":"${room}","data":{"status":"away","meta":${meta}}}`);
  const seen = await alice.next({ type: 'presence', data: { status: 'away' } });
  expect(JSON.stringify((seen['data'] as { meta: unknown }).meta)).toBe(meta);
  const late = await open(pod, `/ws/${room}`);
  const joined = await late.next({ event: 'joined' });
  const { members } = joined['data'] as { members: { user_id: string; meta: unknown }[] };
  expect(JSON.stringify(members.find(({ user_id: user }) => user === 'bob')?.meta)).toBe(meta);
});

describe('However deep data is nested', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

  test('500 levels pass through unchanged', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    alice.send(`{"room":"${room}","data":${nested(500)}}`);
    await alice.next({ type: 'chat' });
    expect(alice.texts.at(-1)).toContain(`"data":${nested(500)},`);
  });

  test('it is delivered to all or refused with invalid_message, and the pod lives on', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const bob = await member(pod, room, 'bob');
    const listener = await namedListener(pod, room, 'zoe', ['broadcast']);
    for (let depth = 1_000; depth <= 32_000; depth += 500) {
      alice.send(`{"room":"${room}","data":${nested(depth)},"ref":"${depth}"}`);
      // A good frame after each: ten bad ones in a row would end the connection.
      await settled(alice);
    }
    const refusals = alice.all({ type: 'error' });
    for (const refusal of refusals) expect(refusal).toMatchObject({ data: { code: 'invalid_message' } });
    const accepted = alice.all({ type: 'ack' }).length;
    expect(accepted + refusals.length).toBe(63);
    alice.send({ room, data: 'last' });
    await bob.next({ data: 'last' });
    await listener.next({ payload: 'last' });
    const heard = (client: Client, type: string): number => client.all({ type }).length;
    expect(heard(bob, 'chat')).toBe(accepted + 1);
    expect(listener.all({ type: 'broadcast', channel: room })).toHaveLength(accepted + 1);
  });
});
