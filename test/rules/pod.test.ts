import { readFile, writeFile } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { open } from '../support/client.ts';
import { rulesFile } from '../support/rules-file.ts';
import { startPod } from '../support/pod.ts';

test('a pod obeys the rules of ROOMS_FILE, and other rules after SIGHUP', async () => {
  const path = await rulesFile('rooms: [{match: news, publish: nobody}]');
  const pod = await startPod({ ROOMS_FILE: path });
  onTestFinished(async () => void (await pod.stop()));
  const metrics = async (): Promise<string> => (await fetch(`${pod.opsUrl}/metrics`)).text();
  expect(await metrics()).toMatch(/^realtime_rules 1$/m);
  expect(await metrics()).toMatch(/^realtime_rules_loaded_timestamp_seconds 1\d{9}/m);

  const client = await open(pod, '/ws/news');
  client.send({ type: 'chat', data: 1, ref: 'a' });
  await client.next({ type: 'error', ref: 'a' });

  await writeFile(path, 'rooms:\n  - match: a b\n');
  pod.signal('SIGHUP');
  await expect.poll(metrics).toMatch(/^realtime_rules_reload_failures 1$/m);
  expect(pod.output()).toContain('line 2: rule 1: match');

  await writeFile(path, 'rooms: [{match: a}, {match: b}]');
  pod.signal('SIGHUP');
  await expect.poll(metrics).toMatch(/^realtime_rules 2$/m);
  client.send({ type: 'chat', data: 2, ref: 'b' });
  await client.next({ type: 'ack', ref: 'b' });
});

test('a pod with a faulty file says each fault with its line, and does not start', async () => {
  const path = await rulesFile('rooms:\n  - match: a b\n    webhook: [message]\n');
  const output = await startPod({ ROOMS_FILE: path }).then(() => 'it started', String);
  expect(output).toContain(`ROOMS_FILE: ${path}, line 2: rule 1: match`);
  expect(output).toContain(`ROOMS_FILE: ${path}, line 3: rule 1: webhook`);
});

test('the JSON Schema of the file is at the operators’ port, also without a file', async () => {
  const pod = await startPod();
  onTestFinished(async () => void (await pod.stop()));
  const answer = await fetch(`${pod.opsUrl}/rules.schema.json`);
  expect(answer.headers.get('Content-Type')).toContain('application/schema+json');
  expect(await answer.text()).toBe(await readFile('src/rules/rules.schema.json', 'utf8'));
});
