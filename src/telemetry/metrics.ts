import {
  type Figure,
  type Histogram,
  type Row,
  counter,
  counters,
  gauge,
  namesOf,
  scrape,
  scrapeDelays,
} from './figures.ts';
import { eventLoopFigures, processFigures } from './process-figures.ts';
import { CLOSE } from '../protocol/close-codes.ts';
import type { Membership } from '../core/delivery/membership.ts';
import type { Missing } from '../protocol/event.ts';
import type { Pod } from '../core/commands/pod.ts';
// Not `prom-client` itself, because it loads OpenTelemetry, which a pod without tracing must not load.
import Registry from 'prom-client/lib/registry.js';
import type { Dropped } from '../core/base/tally.ts';
import { readVersion } from '../version.ts';
import type { TokenReason } from '../core/ports/authenticator.ts';
import { UPGRADE_REFUSALS } from '../core/base/upgrade-refusal.ts';

const DELAY = 'realtime_publish_to_deliver_seconds';
const DELAY_HELP =
  'Time from the creation of a message to the outboxes of its members, once per message and pod, in steps of a ' +
  "millisecond. For another pod's message it includes the difference of the two clocks; a negative value counts as 0.";

const CLOSE_CODES = Object.values(CLOSE).map(({ code }) => code);
const DROPPED = namesOf<Dropped>({ ephemeral: true, lagging: true });
const RECOVERY_RESULTS = namesOf<Missing | 'recovered'>({
  recovered: true,
  trimmed: true,
  expired: true,
  unknown_position: true,
  history_lost: true,
  unavailable: true,
});
const TOKEN_REASONS = namesOf<TokenReason>({
  algorithm: true,
  audience: true,
  invalid_token: true,
  issuer: true,
  not_yet_valid: true,
  permissions: true,
  rooms: true,
  signature: true,
  token_expired: true,
  unavailable: true,
  unknown_key: true,
  user_id: true,
});

/** A pod's metrics in the Prometheus text format 0.0.4. */
export interface Metrics {
  readonly contentType: string;
  readonly render: () => Promise<string>;
}

/**
 * Creates the metrics of a pod. The core counts plain numbers, which are read at each scrape; `others` come from other
 * parts of the pod. The names are those of the seed systems, including `_total` on a gauge. No label holds a room, a
 * user or an id.
 */
export function createMetrics(
  pod: Pod,
  others: readonly Figure[] = [],
  histograms: readonly Histogram[] = [],
): Metrics {
  const registry = new Registry();
  const lag = eventLoopFigures();
  const figures = [
    ...gauges(pod),
    ...counts(pod),
    ...countsByReason(pod),
    ...lag.figures,
    ...processFigures(),
    buildInfo(),
    ...others,
  ];
  for (const figure of figures) {
    registry.registerMetric({ name: figure.name, get: () => Promise.resolve(scrape(figure)) });
  }
  const delivery = { name: DELAY, help: DELAY_HELP, delays: pod.tally.publishToDeliver };
  for (const { name, help, delays } of [delivery, ...histograms]) {
    registry.registerMetric({ name, get: () => Promise.resolve(scrapeDelays(name, help, delays)) });
  }
  const render = async (): Promise<string> => {
    const text = await registry.metrics();
    lag.reset();
    return text;
  };
  return { contentType: registry.contentType, render };
}

function gauges({ denylist, hub }: Pod): Figure[] {
  return [
    gauge('realtime_connections_total', 'Open connections on this pod.', () => hub.connectionCount),
    gauge('realtime_rooms_total', 'Rooms with a member on this pod.', () => hub.roomCount),
    gauge('realtime_denylist_entries', 'Blocks and revocations that this pod knows.', () => denylist.size),
    gauge('realtime_outbox_messages', 'Frames that wait in the outboxes of slow connections.', () =>
      sum(hub.connections(), ({ outbox }) => outbox.messages),
    ),
    gauge(
      'realtime_outbox_bytes',
      'Bytes that wait in the outboxes of slow connections. Members of a room share the bytes of a frame.',
      () => sum(hub.connections(), ({ outbox }) => outbox.bytes),
    ),
    gauge(
      'realtime_presence_members',
      'Connections of this pod that are present in a room, summed over rooms. A user with two connections counts twice.',
      () => sum(hub.connections(), ({ memberships }) => memberships.filter(isPresent).length),
    ),
  ];
}

function counts({ tally }: Pod): Figure[] {
  return [
    counter('realtime_messages_sent', 'Frames written to sockets.', () => tally.sent),
    counter('realtime_messages_received', 'Frames received from clients.', () => tally.received),
    counter(
      'realtime_commands_rate_limited',
      'Commands rejected because a connection exceeded MESSAGES_PER_SECOND.',
      () => tally.rateLimited,
    ),
    counter(
      'realtime_history_lost',
      'Rooms whose members on this pod got history_lost, because the history went back or lost messages.',
      () => tally.historyLost,
    ),
    {
      type: 'counter',
      name: 'realtime_http_requests',
      help: 'HTTP requests answered, by method, route pattern and status.',
      rows: () => Array.from(tally.requests, requestRow),
    },
  ];
}

function countsByReason({ tally }: Pod): Figure[] {
  return [
    counters(
      'realtime_messages_dropped',
      'Messages not delivered, by reason.',
      'reason',
      tally.dropped,
      DROPPED,
    ),
    counters('realtime_closes', 'Connections closed, by close code.', 'code', tally.closed, CLOSE_CODES),
    counters(
      'realtime_upgrades_refused',
      'WebSocket handshakes refused, by reason.',
      'reason',
      tally.refused,
      UPGRADE_REFUSALS,
    ),
    counters(
      'realtime_recoveries',
      'Recoveries from the history, by result.',
      'result',
      tally.recoveries,
      RECOVERY_RESULTS,
    ),
    counters(
      'realtime_auth_failures',
      'Tokens refused, by reason.',
      'reason',
      tally.authFailures,
      TOKEN_REASONS,
    ),
  ];
}

/** Splits a key that `countRequest` made. */
function requestRow([key, value]: [string, number]): Row {
  const [method = '', status = '', ...route] = key.split(' ');
  return { labels: { method, route: route.join(' '), status }, value };
}

function buildInfo(): Figure {
  const version = readVersion();
  return {
    type: 'gauge',
    name: 'realtime_build_info',
    help: 'Always 1. The label is the version that runs.',
    rows: () => [{ labels: { version }, value: 1 }],
  };
}

function isPresent({ present }: Membership): boolean {
  return present;
}

function sum<Item>(items: Iterable<Item>, read: (item: Item) => number): number {
  let total = 0;
  for (const item of items) total += read(item);
  return total;
}
