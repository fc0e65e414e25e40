import {
  type ClientPlan,
  type Fault,
  type Plan,
  type PlacementName,
  ROOMS,
  type Step,
  TIMES,
} from './plan.ts';
import { FAULT_KINDS } from '../faults/kinds.ts';
import { randomFor } from '../kernel/seed.ts';
import type { Random } from '../../hostile/random.ts';

const PODS = 3;
/** Faults last so long, in milliseconds, most of them shortly. */
const LONGEST_MS = 12_000;

export interface Wishes {
  /** Else the seed says. */
  readonly placement?: PlacementName | undefined;
  /** Kinds of faults that are left out. */
  readonly without?: readonly string[] | undefined;
}

/** Everything that a number stands for. */
export function planOf(number: number, { placement, without = [] }: Wishes = {}): Plan {
  const seed = String(number);
  const random = randomFor(seed, 'plan');
  const chosen = random.pick(['one', 'one', 'sentinel', 'cluster'] as const);
  const where = placement ?? chosen;
  const clients = clientsOf(random);
  return {
    seed,
    placement: where,
    settings: settingsOf(random),
    pods: PODS,
    clients,
    steps: stepsOf(random, clients),
    faults: faultsOf(random, where).filter(({ kind }) => !without.includes(kind)),
  };
}

/** Short times, so that what lapses does so within a run. */
function settingsOf(random: Random): Record<string, string> {
  const lease = random.pick([2, 3, 5]);
  return {
    HISTORY_SIZE: random.pick(['10', '100', '100', '1000']),
    PUBLISH_BUFFER_MESSAGES: random.pick(['5', '10000', '10000']),
    OUTBOX_MESSAGES: random.pick(['8', '256']),
    POD_LEASE_SECONDS: String(lease),
    PRESENCE_GRACE_SECONDS: random.pick(['1', '2', '4']),
    PRESENCE_TTL_SECONDS: random.pick([lease + 1, 8, 12]).toString(),
    HEARTBEAT_SECONDS: '5',
    HEARTBEAT_TIMEOUT_SECONDS: '11',
    DRAIN_WINDOW_SECONDS: random.pick(['1', '3']),
    SHUTDOWN_TIMEOUT_SECONDS: '10',
    START_WAIT_SECONDS: random.pick(['4', '20']),
  };
}

function clientsOf(random: Random): ClientPlan[] {
  const users = ['ann', 'bob', 'cid', 'dee', 'eve'];
  return Array.from({ length: 6 }, (_, index) => {
    const user = users[index % users.length] ?? 'ann';
    const kind = random.chance(0.3) ? 'library' : 'raw';
    return {
      name: `${user}${index < users.length ? '' : '2'}`,
      user,
      kind,
      buffer: random.pick([1_000, 16_384]),
      joins: ROOMS.filter(() => random.chance(0.6)),
    };
  });
}

function stepsOf(random: Random, clients: readonly ClientPlan[]): Step[] {
  const steps: Step[] = [];
  let at: number = TIMES.steps;
  while (at < TIMES.mended) {
    const { name: client, kind } = random.pick(clients);
    steps.push(...stepOf(random, at, client, kind));
    at += random.chance(0.2) ? random.int(500, 1_500) : random.int(1, 350);
  }
  return steps;
}

function stepOf(random: Random, at: number, client: string, kind: string): Step[] {
  const room = random.pick(ROOMS);
  const dice = random.next();
  if (dice < 0.55) return publishing(random, at, client);
  if (dice < 0.62) return [{ at, client, do: 'repeat', back: random.int(0, 3) }];
  if (dice < 0.74)
    return [
      {
        at,
        client,
        do: 'join',
        room,
        history: random.chance(0.3) ? random.int(1, 20) : 0,
        anew: random.chance(0.5),
      },
    ];
  if (dice < 0.81) return [{ at, client, do: 'leave', room }];
  if (dice < 0.87)
    return [{ at, client, do: 'state', room, status: random.pick(['online', 'away', 'offline']) }];
  if (dice < 0.89 && kind === 'raw') return [{ at, client, do: 'close' }];
  if (dice < 0.96) {
    return [
      {
        at,
        client,
        do: 'drop',
        noticedAfterMs: random.pick([0, 500, 3_000, undefined]),
        arrives: random.chance(0.6),
      },
    ];
  }
  return [{ at, client, do: 'stop-reading', ms: random.int(500, 5_000) }];
}

function publishing(random: Random, at: number, client: string): Step[] {
  const count = random.chance(0.08) ? 12 : random.int(1, 2);
  const [ref, ephemeral] = [random.chance(0.7), random.chance(0.12)];
  const room = random.pick(ROOMS);
  return Array.from({ length: count }, () => ({ at, client, do: 'publish' as const, room, ref, ephemeral }));
}

function faultsOf(random: Random, placement: PlacementName): Fault[] {
  const able = FAULT_KINDS.filter(({ placements }) => placements?.includes(placement) ?? true);
  // A few kinds only: what one breaks is not to be hidden by another.
  const kinds = Array.from({ length: random.int(1, 3) }, () => random.pick(able));
  const faults: Fault[] = [];
  for (let count = random.int(1, 6); count > 0; count -= 1) {
    const kind = random.pick(kinds);
    const ms = Math.round(100 + random.next() ** 2 * LONGEST_MS);
    const at = random.int(TIMES.steps + 500, TIMES.mended - ms - 500);
    faults.push({ at, ms, kind: kind.name, with: kind.plan(random) });
  }
  return faults.sort((one, other) => one.at - other.at);
}
