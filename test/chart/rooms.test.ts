import { parse } from 'yaml';
import { expect, test } from 'vitest';
import { dryRun, find, type KubernetesObject, render, settingsOf, template } from './helm.ts';
import { CONTEXT } from '../rules/context.ts';
import { readRules } from '../../src/rules/read-rules.ts';

const ROOMS = [
  { match: 'news-*', publish: 'server', history: { size: 1000, ttl: '7d' }, max_members: 5_000_000 },
  { name: '1', match: 'user-{user}', presence: { enabled: false }, last_value: true },
];

function podOf(objects: readonly KubernetesObject[]): KubernetesObject {
  return find(objects, 'Deployment', 'r-crosspod')['spec'].template;
}

test('rules are a file in a ConfigMap, which the gateway reads as they were written', async () => {
  const objects = await render({ rooms: ROOMS });
  const text = find(objects, 'ConfigMap', 'r-crosspod-rooms')['data']['rooms.yaml'];
  expect(parse(text)).toEqual({ rooms: ROOMS });
  expect(readRules(text, CONTEXT).rules).toHaveLength(ROOMS.length);
});

test('pods see the ConfigMap as a folder, so that they can follow it', async () => {
  const objects = await render({ rooms: ROOMS });
  const [container] = podOf(objects)['spec'].containers;
  expect(settingsOf(objects)).toMatchObject({ ROOMS_FILE: '/room-rules/rooms.yaml' });
  expect(container.volumeMounts).toEqual([{ name: 'room-rules', mountPath: '/room-rules', readOnly: true }]);
  expect(podOf(objects)['spec'].volumes).toEqual([
    { name: 'room-rules', configMap: { name: 'r-crosspod-rooms' } },
  ]);
});

test('other rules change nothing of the pods, so that none is replaced', async () => {
  const [some, others] = await Promise.all(
    [ROOMS, [{ match: '*' }]].map(async (rooms) => podOf(await render({ rooms }))),
  );
  expect(some).toEqual(others);
});

test.each([{ rooms: [] }, { rooms: null }, {}])('with %j the settings hold for all rooms', async (values) => {
  const objects = await render(values);
  expect(objects.map(({ metadata }) => metadata.name)).not.toContain('r-crosspod-rooms');
  expect(settingsOf(objects)).not.toHaveProperty('ROOMS_FILE');
});

test('a file of one’s own can be named instead', async () => {
  expect(settingsOf(await render({ settings: { ROOMS_FILE: '/mine/rooms.json' } }))).toMatchObject({
    ROOMS_FILE: '/mine/rooms.json',
  });
});

test('another volume of the same name is refused', async () => {
  const extraVolumes = [{ name: 'room-rules', emptyDir: {} }];
  const { code, stderr } = await template({ rooms: ROOMS, extraVolumes });
  expect(code).not.toBe(0);
  expect(stderr).toContain('extraVolumes');
});

test.each([
  ['an unknown key', { match: 'a', histori: {} }],
  ['no pattern', { publish: 'server' }],
  ['a pattern of global messages', { match: '@global' }],
  ['a user twice', { match: '{user}-{user}' }],
  ['a bare number', { match: 'a', history: { ttl: 5 } }],
  ['a wrong word', { match: 'a', publish: 'all' }],
  ['a fraction', { match: 'a', max_members: 1.5 }],
  ['the same event twice', { match: 'a', webhook: ['message', 'message'] }],
])('the schema refuses %s', async (_, rule) => {
  const { code, stderr } = await dryRun({ rooms: [rule] });
  expect(code).not.toBe(0);
  expect(stderr).toContain('rooms');
});
