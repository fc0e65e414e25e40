import { counter, counters, type Figure, gauge, namesOf } from './figures.ts';
import type { Unreported, WatcherFigures } from '../core/ports/watcher.ts';
import type { Trouble } from '../core/ports/broker.ts';

const UNREPORTED = namesOf<Unreported>({ overflow: true, refused: true, gave_up: true, stopped: true });

const HALVES = namesOf<Trouble['lost']>({ answers: true, publications: true });

/** What hooks did since the start. */
export interface HookFigures {
  readonly replaced: number;
  readonly suppressed: number;
  readonly refused: ReadonlyMap<string, number>;
  readonly failed: ReadonlyMap<string, number>;
}

export function hookFigures(figures: HookFigures): Figure[] {
  return [
    counter('realtime_hook_replacements', 'Messages that a hook changed.', () => figures.replaced),
    counter('realtime_hook_suppressions', 'Messages that a hook suppressed.', () => figures.suppressed),
    counters(
      'realtime_hook_refusals',
      'Connections, joins, messages and calls that hooks refused, by hook.',
      'hook',
      figures.refused,
    ),
    counters(
      'realtime_hook_failures',
      'Calls of hooks that threw or took longer than a second, by hook.',
      'hook',
      figures.failed,
    ),
  ];
}

/** What became of the joins and leaves that were posted, and of the messages. */
export interface WebhookFigures {
  readonly presence: WatcherFigures;
  readonly messages: WatcherFigures;
}

export function webhookFigures({ presence, messages }: WebhookFigures): Figure[] {
  return [
    ...queueFigures('realtime_webhook_events', 'realtime_webhook_retries', 'Joins and leaves', presence),
    ...queueFigures('realtime_webhook_messages', 'realtime_webhook_message_retries', 'Messages', messages),
  ];
}

function queueFigures(name: string, retries: string, what: string, figures: WatcherFigures): Figure[] {
  const { dropped } = figures;
  return [
    counter(name, `${what} that the webhook receiver accepted.`, () => figures.reported),
    counters(
      `${name}_dropped`,
      `${what} that the webhook receiver did not get, by reason.`,
      'reason',
      dropped,
      UNREPORTED,
    ),
    counter(retries, `Repeated posts to the webhook receiver: ${what}.`, () => figures.retries),
    gauge(
      `${name}_waiting`,
      `${what} that wait for the webhook receiver or are in flight.`,
      () => figures.waiting,
    ),
  ];
}

/** What is known about the file that ROOMS_FILE names. */
export interface RulesFigures {
  readonly rules: number;
  readonly loadedAt: number;
  readonly failures: number;
}

export function rulesFigures(figures: RulesFigures): Figure[] {
  return [
    gauge('realtime_rules', 'Rules for rooms that are in force.', () => figures.rules),
    gauge(
      'realtime_rules_loaded_timestamp_seconds',
      'When the rules for rooms that are in force were read, in seconds since 1970.',
      () => figures.loadedAt / 1_000,
    ),
    counter(
      'realtime_rules_reload_failures',
      'Versions of the file of rules that were not valid. The rules read before stayed in force.',
      () => figures.failures,
    ),
  ];
}

/** The parts that refuse new connections or send clients to other pods. */
export interface LoadControl {
  readonly watermarks: { readonly memory: boolean; readonly eventLoop: boolean };
  readonly drain: { readonly progress: number };
  readonly rebalance: { readonly moved: number };
}

export function loadControlFigures({ watermarks, drain, rebalance }: LoadControl): Figure[] {
  return [
    {
      type: 'gauge',
      name: 'realtime_overloaded',
      help: '1 while the pod refuses connections because it lacks memory or event loop time, else 0.',
      rows: () => [
        { labels: { of: 'memory' }, value: Number(watermarks.memory) },
        { labels: { of: 'event_loop' }, value: Number(watermarks.eventLoop) },
      ],
    },
    gauge(
      'realtime_drain_progress',
      'Completed share of the drain, 0 to 1; 0 without a drain.',
      () => drain.progress,
    ),
    counter(
      'realtime_rebalanced_connections',
      'Connections sent to pods that have fewer.',
      () => rebalance.moved,
    ),
  ];
}

/**
 * Which halves of Redis or NATS this pod lacks. No label names a server, because servers change; /readyz names them.
 */
export function engineFigures(engine: { troubles(): readonly Trouble[] }): Figure[] {
  const count = (half: Trouble['lost']): number =>
    engine.troubles().filter(({ lost }) => lost === half).length;
  return [
    {
      type: 'gauge',
      name: 'realtime_engine_lost',
      help: 'Redis or NATS servers of which this pod lacks a half: their answers, or publications of other pods.',
      rows: () => HALVES.map((half) => ({ labels: { half }, value: count(half) })),
    },
  ];
}

/** The state of the Redis connections and of the publications that wait for Redis. */
export interface RedisFigures {
  readonly placement: {
    readonly up: boolean;
    readonly subscribed: boolean;
    readonly losses: number;
    readonly revivals: number;
  };
  readonly broker: { readonly waiting: number; readonly failures: number };
}

export function redisFigures({ placement, broker }: RedisFigures): Figure[] {
  return [
    gauge('realtime_redis_up', '1 while Redis answers and accepts writes, else 0.', () =>
      Number(placement.up),
    ),
    gauge('realtime_redis_subscribed', '1 while all subscriptions of this pod are in place, else 0.', () =>
      Number(placement.subscribed),
    ),
    counter('realtime_redis_losses', 'How often Redis became unavailable.', () => placement.losses),
    counter(
      'realtime_redis_subscription_revivals',
      'How often a dead subscription was replaced.',
      () => placement.revivals,
    ),
    gauge('realtime_redis_publications_waiting', 'Publications that wait for Redis.', () => broker.waiting),
    counter(
      'realtime_redis_publish_errors',
      'Failed attempts to publish to Redis. The pod retries them.',
      () => broker.failures,
    ),
  ];
}

/** The state of the NATS connection and of the publications that wait for NATS. */
export interface NatsFigures {
  readonly backbone: {
    readonly link: { readonly up: boolean; readonly losses: number };
    readonly probe: { readonly revivals: number };
  };
  readonly broker: { readonly waiting: number; readonly failures: number };
}

export function natsFigures({ backbone: { link, probe }, broker }: NatsFigures): Figure[] {
  return [
    gauge('realtime_nats_up', '1 while NATS answers and accepts writes, else 0.', () => Number(link.up)),
    counter('realtime_nats_losses', 'How often NATS became unavailable.', () => link.losses),
    counter(
      'realtime_nats_subscription_revivals',
      'How often dead subscriptions were replaced.',
      () => probe.revivals,
    ),
    gauge('realtime_nats_publications_waiting', 'Publications that wait for NATS.', () => broker.waiting),
    counter(
      'realtime_nats_publish_errors',
      'Failed attempts to publish to NATS. The pod retries them.',
      () => broker.failures,
    ),
    ...withoutRedis(),
  ];
}

/** The metric exists without Redis too, for dashboards that expect it. */
export function withoutRedis(): Figure[] {
  return [
    counter(
      'realtime_redis_publish_errors',
      'Failed attempts to publish to Redis. The pod retries them.',
      () => 0,
    ),
  ];
}
