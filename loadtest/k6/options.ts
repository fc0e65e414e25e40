import type { Options, Scenario, Threshold } from 'k6/options';
import type { Settings } from './settings.ts';

export type Thresholds = Readonly<Record<string, Threshold[]>>;

/** Time for the virtual users to close what they have open, once they should be done. */
const GRACE_SECONDS = 15;

export interface Shape {
  /** How long one virtual user is at work. */
  readonly seconds: number;
  readonly thresholds: Thresholds;
  /** What goes on beside the virtual users. */
  readonly beside?: Readonly<Record<string, Scenario>>;
}

/** Every virtual user does its work once, all at the same time. */
export function optionsFor({ vus }: Settings, { seconds, thresholds, beside = {} }: Shape): Options {
  return {
    scenarios: {
      users: {
        executor: 'per-vu-iterations',
        vus,
        iterations: 1,
        maxDuration: `${Math.ceil(seconds) + GRACE_SECONDS}s`,
        gracefulStop: '5s',
      },
      ...beside,
    },
    thresholds: { ...thresholds },
    // What is open on a pod are WebSockets, and nothing else.
    noConnectionReuse: true,
    // What would be a name of its own for each user is none.
    systemTags: ['status', 'name', 'scenario', 'check', 'error_code'],
    summaryTrendStats: ['min', 'avg', 'med', 'p(95)', 'p(99)', 'max'],
  };
}

/** One virtual user that begins so many seconds after the others. */
export function alone(exec: string, startSeconds: number, seconds: number): Scenario {
  return {
    executor: 'per-vu-iterations',
    exec,
    vus: 1,
    iterations: 1,
    startTime: `${Math.max(0, Math.round(startSeconds))}s`,
    maxDuration: `${Math.ceil(seconds) + GRACE_SECONDS}s`,
    gracefulStop: '5s',
  };
}

/** That nothing was lost, repeated or disordered, and that everybody was there to tell. */
export function exactlyOnce({ minPods, latencyMs }: Settings): Thresholds {
  const p95: Threshold[] = [`p(95)<${latencyMs}`];
  const none: Threshold[] = ['count==0'];
  const some: Threshold[] = ['count>0'];
  const pods = Array.from({ length: minPods }, (_, pod) => [`on_pod{pod:${pod}}`, some] as const);
  const across = {
    ...Object.fromEntries(pods),
    'received{way:own}': some,
    'received{way:other}': some,
    'publish_to_receive_ms{way:own}': p95,
    'publish_to_receive_ms{way:other}': p95,
  };
  return {
    lost: none,
    repeated: none,
    disordered: none,
    unacked: none,
    unrecovered: none,
    errors: none,
    late: none,
    unaccounted: none,
    // Of several k6 that share a test each has a part of the users.
    accounted: some,
    received: some,
    publish_to_receive_ms: p95,
    ...(minPods > 1 ? across : {}),
  };
}
