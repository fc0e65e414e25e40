import { counter, counters, type Figure, gauge, namesOf } from './figures.ts';
import type { Unreported, WatcherFigures } from '../core/ports/watcher.ts';
import type { HookFigures } from '../core/ports/hooks.ts';
import type { Trouble } from '../core/ports/broker.ts';

const UNREPORTED = namesOf<Unreported>({ overflow: true, refused: true, gave_up: true, stopped: true });

const HALVES = namesOf<Trouble['lost']>({ answers: true, publications: true });

export function hookFigures(figures: HookFigures): Figure[] {
  return [
    counter('realtime_hook_replacements', 'Messages that a hook changed.', () => figures.replaced),
    counter('realtime_hook_suppressions', 'Messages that a hook suppressed.', () => figures.suppressed),
    counters('realtime_hook_refusals', 'What hooks refused, by hook.', 'hook', figures.refused),
    counters('realtime_hook_failures', 'Hooks that threw or took too long, by hook.', 'hook', figures.failed),
  ];
}

export function webhookFigures(figures: WatcherFigures): Figure[] {
  return [
    counter('realtime_webhook_events', 'Events taken for the webhook.', () => figures.reported),
    counters(
      'realtime_webhook_events_dropped',
      'Events never posted, by reason.',
      'reason',
      figures.dropped,
      UNREPORTED,
    ),
    counter('realtime_webhook_retries', 'Posts that failed and were made again.', () => figures.retries),
    gauge('realtime_webhook_events_waiting', 'Events that wait to be posted.', () => figures.waiting),
  ];
}

/** What keeps connections away or sends them to other pods. */
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
      help: 'Whether new connections are refused for want of this: 1 while they are.',
      rows: () => [
        { labels: { of: 'memory' }, value: Number(watermarks.memory) },
        { labels: { of: 'event_loop' }, value: Number(watermarks.eventLoop) },
      ],
    },
    gauge('realtime_drain_progress', 'How much of the drain is done, 0 to 1.', () => drain.progress),
    counter(
      'realtime_rebalanced_connections',
      'Connections given to pods that have fewer.',
      () => rebalance.moved,
    ),
  ];
}

/** Which halves of Redis or NATS this pod lacks. Not by server: servers come and go, and /readyz names them. */
export function engineFigures(engine: { troubles(): readonly Trouble[] }): Figure[] {
  const count = (half: Trouble['lost']): number =>
    engine.troubles().filter(({ lost }) => lost === half).length;
  return [
    {
      type: 'gauge',
      name: 'realtime_engine_lost',
      help: 'Servers of Redis or NATS of which this pod lacks a half; publications: what other pods say is not heard.',
      rows: () => HALVES.map((half) => ({ labels: { half }, value: count(half) })),
    },
  ];
}

/** What is read of the connection to Redis and of what waits for it. */
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
    gauge('realtime_redis_up', '1 while Redis answers and takes writes, else 0.', () => Number(placement.up)),
    gauge('realtime_redis_subscribed', '1 while all subscriptions of this pod are in place, else 0.', () =>
      Number(placement.subscribed),
    ),
    counter('realtime_redis_losses', 'How often Redis went away.', () => placement.losses),
    counter(
      'realtime_redis_subscription_revivals',
      'How often the subscription was found dead and made anew.',
      () => placement.revivals,
    ),
    gauge('realtime_redis_publications_waiting', 'Publications that wait for Redis.', () => broker.waiting),
    counter(
      'realtime_redis_publish_errors',
      'Attempts to publish that Redis did not take.',
      () => broker.failures,
    ),
  ];
}

/** What is read of the connection to NATS and of what waits for it. */
export interface NatsFigures {
  readonly backbone: {
    readonly link: { readonly up: boolean; readonly losses: number };
    readonly probe: { readonly revivals: number };
  };
  readonly broker: { readonly waiting: number; readonly failures: number };
}

export function natsFigures({ backbone: { link, probe }, broker }: NatsFigures): Figure[] {
  return [
    gauge('realtime_nats_up', '1 while NATS answers and keeps what it is given, else 0.', () =>
      Number(link.up),
    ),
    counter('realtime_nats_losses', 'How often NATS went away.', () => link.losses),
    counter(
      'realtime_nats_subscription_revivals',
      'How often the subscriptions were found dead and made anew.',
      () => probe.revivals,
    ),
    gauge('realtime_nats_publications_waiting', 'Publications that wait for NATS.', () => broker.waiting),
    counter(
      'realtime_nats_publish_errors',
      'Attempts to publish that NATS did not take.',
      () => broker.failures,
    ),
    ...withoutRedis(),
  ];
}

/** The same name where there is no Redis, for dashboards that expect it. */
export function withoutRedis(): Figure[] {
  return [counter('realtime_redis_publish_errors', 'Attempts to publish that Redis did not take.', () => 0)];
}
