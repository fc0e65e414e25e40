import exec from 'k6/execution';
import http from 'k6/http';
import { setTimeout } from 'k6/timers';
import { Client } from './client.ts';
import { bytesPerConnection, late, opened, reconnects, refused, refusedWrongly } from './figures.ts';
import { alone, optionsFor, type Thresholds } from './options.ts';
import { type Plan, planOf } from './plan.ts';
import { totals } from './pods.ts';
import type { Refusal } from './refusal.ts';
import { readSettings } from './settings.ts';
import { summaryOf } from './summary.ts';
import { judge } from './judged.ts';

const settings = readSettings(__ENV, { ROOMS: '10', VUS: '20', DURATION: '20s' });
const { cap, connections, connectRate, connectionBytes, duration, opsUrls, vus } = settings;
const ROOM_SIZE = 10;
const rampSeconds = connections / connectRate;

const thresholds: Thresholds = {
  opened: [`count==${cap ?? connections}`],
  refused_wrongly: ['count==0'],
  late: ['count==0'],
  // k6 itself saw the handshake refused with that status.
  ...(cap === undefined
    ? {}
    : { 'refused{status:503}': ['count>0'], 'ws_sessions{status:503}': ['count>0'] }),
  ...(opsUrls.length === 0 ? {} : { bytes_per_connection: [`value<${connectionBytes}`] }),
};

export const options = optionsFor(settings, {
  seconds: rampSeconds + duration,
  thresholds,
  beside: opsUrls.length === 0 ? {} : { measure: alone('measure', rampSeconds + duration / 2, 5) },
});

interface Ramp extends Plan {
  readonly before: ReturnType<typeof totals>;
}

export function setup(): Ramp {
  judge(thresholds);
  const before = totals(settings);
  if (opsUrls.length > 0 && before === undefined)
    exec.test.abort(`no metrics at ${opsUrls.join(', ')} (OPS_URLS)`);
  return { before, ...planOf(settings) };
}

/** Opens its share of the connections, holds them until the end, and takes a no for what it is. */
export default function ramp(plan: Ramp): void {
  const clients: Client[] = [];
  for (let index = exec.scenario.iterationInTest; index < connections; index += vus) {
    const client = connection(index, plan);
    clients.push(client);
    setTimeout(() => client.open(), Math.max(0, plan.start + (index / connectRate) * 1_000 - Date.now()));
  }
  const end = plan.start + (rampSeconds + duration) * 1_000;
  setTimeout(
    () => {
      for (const client of clients) client.close();
    },
    Math.max(0, end - Date.now()),
  );
}

function connection(index: number, { run }: Plan): Client {
  let hasOpened = false;
  const client = new Client({
    settings,
    user: `${run}-user-${index}`,
    // Each is a browser of its own: no cookie leads all of them to one pod.
    jar: new http.CookieJar(),
    watcher: {
      onJoined() {
        if (!hasOpened) opened.add(1);
        hasOpened = true;
      },
      onLost: (code) => reconnects.add(1, { code: String(code ?? 1006) }),
      onRefused: tellRefusal,
      onGivenUp: () => late.add(1),
    },
  });
  client.join(`${run}-${Math.floor(index / ROOM_SIZE)}`);
  return client;
}

function tellRefusal({ status, retryAfterMs }: Refusal): void {
  refused.add(1, { status: String(status) });
  const isRight = (status === 503 || status === 429) && retryAfterMs !== undefined && retryAfterMs > 0;
  refusedWrongly.add(isRight ? 0 : 1);
}

/** When all are there: what each of them costs the pods. */
export function measure({ before }: Ramp): void {
  if (before === undefined) return;
  const now = totals(settings);
  // What cannot be measured fails: no number is below the bound.
  const bytes = now && (now.bytes - before.bytes) / (now.connections - before.connections);
  bytesPerConnection.add(bytes ?? Number.MAX_SAFE_INTEGER);
}

export const handleSummary = summaryOf('connections', settings);
