import { HookRunner } from '../../src/hooks/runner.ts';
import { hookFigures, webhookFigures } from '../../src/telemetry/part-figures.ts';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { connections, guest, join, member } from '../integration/people.ts';
import { CLOSE } from '../../src/protocol/close-codes.ts';
import { countRequest } from '../../src/core/base/tally.ts';
import { counter, counters, gauge } from '../../src/telemetry/figures.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { open, refused, until } from '../support/client.ts';
import { readFileSync } from 'node:fs';
import { startPod } from '../support/pod.ts';
import { TestPod } from '../support/test-pod.ts';

const pod = await startPod({ MESSAGES_PER_SECOND: '0', PRESENCE_GRACE_SECONDS: '0' });
afterAll(() => pod.stop());

const DELAY = 'realtime_publish_to_deliver_seconds';
const SIMPLE = [
  ['realtime_connections_total', 'gauge'],
  ['realtime_rooms_total', 'gauge'],
  ['realtime_denylist_entries', 'gauge'],
  ['realtime_messages_sent', 'counter'],
  ['realtime_messages_received', 'counter'],
  ['realtime_redis_publish_errors', 'counter'],
  ['realtime_commands_rate_limited', 'counter'],
  ['realtime_outbox_messages', 'gauge'],
  ['realtime_outbox_bytes', 'gauge'],
  ['realtime_presence_members', 'gauge'],
  ['realtime_event_loop_lag_p50_seconds', 'gauge'],
  ['realtime_event_loop_lag_p99_seconds', 'gauge'],
  ['realtime_event_loop_lag_max_seconds', 'gauge'],
  ['process_cpu_user_seconds_total', 'counter'],
  ['process_cpu_system_seconds_total', 'counter'],
  ['process_cpu_seconds_total', 'counter'],
  ['process_start_time_seconds', 'gauge'],
  ['process_resident_memory_bytes', 'gauge'],
  ['nodejs_heap_size_total_bytes', 'gauge'],
  ['nodejs_heap_size_used_bytes', 'gauge'],
  ['nodejs_external_memory_bytes', 'gauge'],
] as const;
const LABELLED = [
  ['realtime_messages_dropped', 'counter'],
  ['realtime_closes', 'counter'],
  ['realtime_upgrades_refused', 'counter'],
  ['realtime_recoveries', 'counter'],
  ['realtime_auth_failures', 'counter'],
  ['realtime_http_requests', 'counter'],
  ['realtime_build_info', 'gauge'],
  [DELAY, 'histogram'],
] as const;

async function scrape(): Promise<string> {
  return (await fetch(`${pod.opsUrl}/metrics`)).text();
}

/** What stands behind a name and its labels, as in `name{label="value"}`; 0 where there is no such line. */
function valueIn(text: string, series: string): number {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? 0 : Number(line.slice(series.length));
}

async function value(series: string): Promise<number> {
  return valueIn(await scrape(), series);
}

describe('Every metric', () => {
  test.each([...SIMPLE, ...LABELLED])('%s is a %s, with a help text', async (name, type) => {
    const text = await scrape();
    expect(text).toContain(`# TYPE ${name} ${type}\n`);
    expect(text).toMatch(new RegExp(`^# HELP ${name} \\S.{10,}$`, 'm'));
  });

  test.each(SIMPLE)('%s has one value and no label', async (name) => {
    const text = await scrape();
    expect(text).not.toContain(`${name}{`);
    expect(text).toMatch(new RegExp(`^${name} [\\d.e+-]+$`, 'm'));
  });

  test('is in this list, or has the same prefix as one in it', async () => {
    const known = new Set<string>([...SIMPLE, ...LABELLED].map(([name]) => name));
    const all = [...(await scrape()).matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name);
    expect(new Set(all).size).toBe(all.length);
    for (const name of all) if (!known.has(name)) expect(name).toMatch(/^realtime_/);
    expect(all).toEqual(expect.arrayContaining([...known]));
  });
});

describe('A pod counts', () => {
  beforeEach(() => connections(pod, 0));

  test('the time from publish to deliver once for each message, and not for each member', async () => {
    const before = await value(`${DELAY}_count`);
    const [alice] = [await member(pod, 'delay', 'alice'), await member(pod, 'delay', 'bob')];
    for (let n = 0; n < 10; n += 1) alice.send({ data: n });
    alice.send({ data: 'typing', ephemeral: true });
    await alice.next({ data: 'typing' });
    const text = await scrape();
    expect(valueIn(text, `${DELAY}_count`)).toBe(before + 11);
    expect(valueIn(text, `${DELAY}_bucket{le="+Inf"}`)).toBe(before + 11);
    expect(valueIn(text, `${DELAY}_sum`)).toBeLessThan(5);
    const buckets = [...text.matchAll(new RegExp(`^${DELAY}_bucket\\{le="(.+)"\\} (\\d+)$`, 'gm'))];
    expect(buckets.map(([, bound]) => Number(bound?.replace('+Inf', 'Infinity')))).toEqual([
      0.0005,
      0.001,
      0.0025,
      0.005,
      0.01,
      0.025,
      0.05,
      0.1,
      0.25,
      0.5,
      1,
      2.5,
      5,
      10,
      Infinity,
    ]);
    const counts = buckets.map(([, , count]) => Number(count));
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  });

  test('what waits in the outboxes of slow readers, until they read it', async () => {
    const speaker = await member(pod, 'outbox', 'speaker');
    const slow = await member(pod, 'outbox', 'slow');
    expect(await value('realtime_outbox_bytes')).toBe(0);
    slow.ws.pause();
    const data = 'x'.repeat(50_000);
    const waiting = async (): Promise<boolean> => {
      speaker.send({ data });
      return (await value('realtime_outbox_bytes')) > 100_000;
    };
    await until('something waits', waiting);
    expect(await value('realtime_outbox_messages')).toBeGreaterThanOrEqual(2);
    slow.ws.resume();
    await until('nothing waits', async () => (await value('realtime_outbox_bytes')) === 0);
    expect(await value('realtime_outbox_messages')).toBe(0);
  });

  test('present connections, once for each room', async () => {
    const alice = await member(pod, 'present-1', 'alice');
    await join(alice, 'present-2');
    const bob = await member(pod, 'present-1', 'bob');
    expect(await value('realtime_presence_members')).toBe(3);
    bob.send({ type: 'presence', data: { status: 'offline' }, ref: 'hidden' });
    await bob.next({ type: 'ack', ref: 'hidden' });
    expect(await value('realtime_presence_members')).toBe(2);
    await alice.close(1000);
    await until('nobody is present', async () => (await value('realtime_presence_members')) === 0);
  });

  test('closes by code, refused upgrades by reason, and recoveries by result', async () => {
    const series = {
      closed: 'realtime_closes{code="1003"}',
      refused: 'realtime_upgrades_refused{reason="invalid_room"}',
      unknown: 'realtime_recoveries{result="unknown_position"}',
      recovered: 'realtime_recoveries{result="recovered"}',
    };
    const before = await scrape();
    const client = await guest(pod);
    client.ws.send(Buffer.from('binary'));
    await client.closed;
    await refused(pod, '/ws/-not-a-room-');
    const alice = await member(pod, 'recoveries', 'alice');
    alice.send({ data: 1 });
    const { id } = await alice.next({ data: 1 });
    await join(await guest(pod), 'recoveries', { last_id: id });
    await join(await guest(pod), 'recoveries', { last_id: 'never-there' });
    await until('all of them', async () => {
      const after = await scrape();
      return Object.values(series).every((one) => valueIn(after, one) === valueIn(before, one) + 1);
    });
  });

  test('HTTP requests by route pattern and status', async () => {
    const before = await scrape();
    for (const room of ['http-one', 'http-two']) await fetch(`${pod.url}/api/rooms/${room}/presence`);
    await fetch(`${pod.url}/there/is/nothing/here`);
    const after = await scrape();
    const rows = [...after.matchAll(/^realtime_http_requests\{(.+)\} (\d+)$/gm)].map(
      ([, labels = '']) => labels,
    );
    const grown = rows
      .map((labels) => [labels, `realtime_http_requests{${labels}}`] as const)
      .map(([labels, series]) => [labels, valueIn(after, series) - valueIn(before, series)] as const)
      .filter(([, more]) => more > 0);
    const presence = grown.find(([labels]) => labels.includes('presence'));
    expect(presence?.[0]).toMatch(/^method="GET",route="\/api\/rooms\/[:{]room\}?\/presence",status="200"$/);
    expect(presence?.[1]).toBe(2);
    const missing = grown.filter(([labels]) => labels.includes('status="404"'));
    expect(missing.map(([, more]) => more)).toEqual([1]);
    expect(after).not.toMatch(/http-one|nothing/);
  });

  test('the resources of the process, and its version', async () => {
    const text = await scrape();
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(text).toContain(`realtime_build_info{version="${version}"} 1\n`);
    expect(valueIn(text, 'process_cpu_seconds_total')).toBeCloseTo(
      valueIn(text, 'process_cpu_user_seconds_total') + valueIn(text, 'process_cpu_system_seconds_total'),
      1,
    );
    expect(valueIn(text, 'process_cpu_seconds_total')).toBeGreaterThan(0.05);
    expect(valueIn(text, 'process_resident_memory_bytes')).toBeGreaterThan(30e6);
    expect(valueIn(text, 'nodejs_heap_size_used_bytes')).toBeGreaterThan(5e6);
    expect(valueIn(text, 'nodejs_heap_size_total_bytes')).toBeGreaterThan(5e6);
    expect(valueIn(text, 'nodejs_external_memory_bytes')).toBeGreaterThan(1e5);
    expect(Math.abs(Date.now() / 1_000 - valueIn(text, 'process_start_time_seconds'))).toBeLessThan(300);
  });

  test('without a label that holds a room, a user or an id', async () => {
    const alice = await open(pod, '/ws/secret-room?user_id=secret-user');
    await alice.next({ event: 'joined' });
    await fetch(`${pod.url}/api/rooms/secret-room/presence`);
    await fetch(`${pod.url}/secret-path?token=secret-token`);
    expect(await scrape()).not.toContain('secret');
  });
});

describe('createMetrics', () => {
  test('takes figures of other parts, and reads them at each scrape', async () => {
    const table = new Map([['ok', 1]]);
    let queued = 0;
    const metrics = createMetrics(new TestPod().pod, [
      counters('realtime_webhook_posts', 'Posts, by result.', 'result', table),
      gauge('realtime_webhook_queue', 'Events that wait.', () => queued),
      counter('realtime_webhook_events', 'Events.', () => 7),
      {
        type: 'gauge',
        name: 'realtime_plain',
        help: 'A plain object.',
        rows: () => [{ labels: { a: 'x"y', b: 2 }, value: 0.5 }],
      },
    ]);
    await metrics.render();
    table.set('failed', 2);
    queued = 3;
    const text = await metrics.render();
    for (const line of [
      'realtime_webhook_posts{result="ok"} 1',
      'realtime_webhook_posts{result="failed"} 2',
      'realtime_webhook_queue 3',
      'realtime_webhook_events 7',
      'realtime_plain{a="x\\"y",b="2"} 0.5',
    ]) {
      expect(text).toContain(`\n${line}\n`);
    }
  });

  test('refuses two figures with one name', () => {
    const one = gauge('realtime_rooms_total', 'Rooms.', () => 0);
    expect(() => createMetrics(new TestPod().pod, [one])).toThrow('realtime_rooms_total');
  });

  test('shows the counters of the tally', async () => {
    const { pod: inside } = new TestPod();
    const { tally } = inside;
    tally.rateLimited = 4;
    tally.authFailures.set('token_expired', 2);
    countRequest(tally, 'GET', '/a b/:c', 200);
    countRequest(tally, 'GET', '/a b/:c', 200);
    const text = await createMetrics(inside).render();
    for (const line of [
      'realtime_commands_rate_limited 4',
      'realtime_auth_failures{reason="token_expired"} 2',
      'realtime_http_requests{method="GET",route="/a b/:c",status="200"} 2',
    ]) {
      expect(text).toContain(`\n${line}\n`);
    }
  });

  test('shows the event loop lag since the last scrape, and resets it', async () => {
    const metrics = createMetrics(new TestPod().pod);
    // A watch like the pod's, which counts its ticks: a scrape would reset the pod's.
    const watch = monitorEventLoopDelay({ resolution: 50 });
    watch.enable();
    const longest = async (): Promise<number> =>
      valueIn(await metrics.render(), 'realtime_event_loop_lag_max_seconds');
    await until('the watch has begun', () => watch.count >= 2);
    const end = Date.now() + 500;
    while (Date.now() < end);
    await until('the watch has seen it', () => watch.max > 300_000_000);
    watch.disable();
    const lag = await longest();
    // What is left of a held-up loop once one interval of the watch, which may have begun before it, is taken off.
    expect(lag).toBeGreaterThan(0.3);
    await until('the lag is forgotten', async () => (await longest()) < lag / 2);
  });
});

test('a counter with a known label begins at 0, or Prometheus would miss its first increase', async () => {
  const queue = { reported: 0, dropped: new Map(), retries: 0, waiting: 0 };
  const module = { onConnect: () => undefined, onMessage: () => undefined };
  const { pod: quiet } = new TestPod();
  const hooks = new HookRunner(module, quiet);
  const figures = [...webhookFigures({ presence: queue, messages: queue }), ...hookFigures(hooks.figures)];
  const text = await createMetrics(quiet, figures).render();
  const [, table = ''] = readFileSync('docs/protocol.md', 'utf8').split('**Refusals**');
  const [rows = ''] = table.split('\n\nA WebSocket');
  const codes = [...rows.matchAll(/`(\w+)`/g)].map(([, code]) => code);
  // That one answers what is no upgrade.
  const refusals = codes.filter((code) => code !== 'upgrade_required');
  expect(refusals).toContain('draining');
  for (const series of [
    ...['recovered', 'trimmed', 'expired', 'unknown_position', 'history_lost', 'unavailable'].map(
      (result) => `realtime_recoveries{result="${result}"}`,
    ),
    ...['invalid_token', 'token_expired', 'unavailable'].map(
      (reason) => `realtime_auth_failures{reason="${reason}"}`,
    ),
    ...['events', 'messages'].flatMap((what) =>
      ['overflow', 'refused', 'gave_up', 'stopped'].map(
        (reason) => `realtime_webhook_${what}_dropped{reason="${reason}"}`,
      ),
    ),
    ...Object.values(CLOSE).map(({ code }) => `realtime_closes{code="${code}"}`),
    ...['ephemeral', 'lagging'].map((reason) => `realtime_messages_dropped{reason="${reason}"}`),
    ...refusals.map((reason) => `realtime_upgrades_refused{reason="${reason}"}`),
    ...['onConnect', 'onMessage'].map((hook) => `realtime_hook_failures{hook="${hook}"}`),
  ]) {
    expect(text).toContain(`\n${series} 0\n`);
  }
});

test('the figures of hooks and webhooks exist only with hooks and webhooks', async () => {
  const hooks = {
    replaced: 1,
    suppressed: 2,
    refused: new Map([['onMessage', 3]]),
    failed: new Map([['onConnect', 4]]),
  };
  const webhooks = {
    presence: { reported: 5, dropped: new Map([['overflow' as const, 6]]), retries: 7, waiting: 8 },
    messages: { reported: 9, dropped: new Map([['refused' as const, 10]]), retries: 11, waiting: 12 },
  };
  const text = await createMetrics(new TestPod().pod, [
    ...hookFigures(hooks),
    ...webhookFigures(webhooks),
  ]).render();
  for (const line of [
    'realtime_hook_replacements 1',
    'realtime_hook_suppressions 2',
    'realtime_hook_refusals{hook="onMessage"} 3',
    'realtime_hook_failures{hook="onConnect"} 4',
    'realtime_webhook_events 5',
    'realtime_webhook_events_dropped{reason="overflow"} 6',
    'realtime_webhook_retries 7',
    'realtime_webhook_events_waiting 8',
    'realtime_webhook_messages 9',
    'realtime_webhook_messages_dropped{reason="refused"} 10',
    'realtime_webhook_message_retries 11',
    'realtime_webhook_messages_waiting 12',
  ]) {
    expect(text).toContain(`\n${line}\n`);
  }
});
