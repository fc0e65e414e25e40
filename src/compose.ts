import {
  authenticatorOf,
  historyLostOf,
  limitsOf,
  originsOf,
  remoteOf,
  rulesOf,
  type Engine,
  createEngine,
} from './adapters.ts';
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Tracer } from './core/ports/tracer.ts';
import type { Platform } from './platform.ts';
import type { Config } from './config.ts';
import { Admission } from './ws/admission.ts';
import { Drain } from './core/pod/drain.ts';
import type { Figure } from './telemetry/figures.ts';
import type { Framer } from './core/ports/socket.ts';
import { CatchUp } from './core/pod/catch-up.ts';
import { Rebalance } from './core/pod/rebalance.ts';
import { Gateway } from './core/commands/gateway.ts';
import { Heartbeat } from './ws/heartbeat.ts';
import { Hub } from './core/pod/hub.ts';
import type { Log } from './core/ports/log.ts';
import type { Origins } from './core/base/origins.ts';
import type { Pod } from './core/commands/pod.ts';
import { PersonalRoom } from './core/base/personal-room.ts';
import type { Parts } from './running-app.ts';
import { Roster } from './core/presence/roster.ts';
import type { RoomRules } from './core/ports/room-rules.ts';
import { Turn } from './core/delivery/turn.ts';
import type { Watcher } from './core/ports/watcher.ts';
import type { Webhooks } from './webhooks/webhooks.ts';
import type { Hooks } from './core/ports/hooks.ts';
import type { BackendFigures } from './backend/inquiry.ts';
import type { HookFigures } from './hooks/runner.ts';
import { decidersOf, webhooksOf } from './operator-adapters.ts';
import { Watermarks } from './core/pod/watermarks.ts';
import { Timestamps } from './core/base/timestamps.ts';
import { createTally } from './core/base/tally.ts';

/** What a pod needs besides its configuration. */
export interface Surroundings {
  readonly log: Log;
  readonly platform: Platform;
  /** Undefined if tracing is off. */
  readonly tracer: Tracer | undefined;
  /** Encodes the frames for clients. */
  readonly framer: Framer;
}

/** A whole pod except its listeners. */
export interface Composed extends Omit<Parts, 'listeners'> {
  readonly origins: Origins;
  readonly engine: Engine;
  readonly ruleFigures: readonly Figure[];
  readonly webhooks: Webhooks | undefined;
  readonly hookFigures: HookFigures | undefined;
  readonly backendFigures: BackendFigures | undefined;
}

/** Creates the parts of a pod. The simulator calls this too, for many pods in one process. */
export async function compose(config: Config, surroundings: Surroundings): Promise<Composed> {
  const { log, platform } = surroundings;
  const { runner, backend, hooks } = await decidersOf(config, log, platform);
  const webhooks = webhooksOf(config, log, platform);
  const { rules, figures } = await rulesOf(config, log, platform);
  const engine = await createEngine(config, log, platform, rules);
  const pod = createPod(config, { ...surroundings, hooks, watcher: webhooks, engine, rules });
  const origins = originsOf(config, log);
  const { WS_PATHS: paths, TRUST_PROXY: trustProxy, API_KEYS: keys = [] } = config.values;
  const hasKeys = keys.length > 0;
  const watermarks = new Watermarks(platform.pressure, pod.clock, log);
  return {
    pod,
    engine,
    ruleFigures: figures,
    webhooks,
    hookFigures: runner?.figures,
    backendFigures: backend?.figures,
    origins,
    watermarks,
    gateway: new Gateway(pod),
    admission: new Admission({
      pod,
      paths,
      origins,
      trustProxy,
      watermarks,
      hasKeys,
      remoteOf: remoteOf(trustProxy),
    }),
    heartbeat: new Heartbeat(pod.hub, pod.clock, pod.limits),
    drain: new Drain(pod),
    rebalance: new Rebalance(pod, watermarks),
    finishing: [runner, backend, webhooks && { stop: () => webhooks.flush() }],
    reporting: webhooks,
  };
}

interface Extras extends Surroundings {
  readonly hooks: Hooks | undefined;
  readonly watcher: Watcher | undefined;
  readonly engine: Engine;
  readonly rules: RoomRules;
}

function createPod(config: Config, extras: Extras): Pod {
  const { log, platform, framer, tracer, hooks, watcher, engine, rules } = extras;
  const { clock, random, ids, host: name } = platform;
  const { PERSONAL_ROOM } = config.values;
  const limits = limitsOf(config);
  const tally = createTally();
  const timestamps = new Timestamps();
  const failed = (error: unknown): void => log.error({ err: error }, 'a flush to sockets failed');
  const turn = new Turn(endOfTurn(tracer), failed, clock);
  const { broker, store, directory, grants, denylist } = engine;
  const historyLost = historyLostOf(tally, log, clock);
  const own = { clock, framer, turn, tally, timestamps, tracer, rules };
  const hub = new Hub({ ...own, broker, directory, historyLost });
  const catchUp = new CatchUp({ broker, clock, framer, hub, limits, tally, log });
  const roster = new Roster({ store, hub, clock, framer, rules, limits, log, watcher });
  const authenticator = authenticatorOf(config, tally, log, clock);
  const parts = {
    ...own,
    hub,
    catchUp,
    broker,
    directory,
    grants,
    denylist,
    roster,
    authenticator,
    hooks,
    personalRoom: PERSONAL_ROOM === undefined ? undefined : new PersonalRoom(PERSONAL_ROOM),
    watcher,
    random,
    limits,
  };
  return { ...parts, log, ids, name, startedAt: clock.elapsed() };
}

/** Runs the end of a turn outside every request, or its spans would join the trace of the turn's first publisher. */
function endOfTurn(tracer: Tracer | undefined): (run: () => void) => void {
  if (tracer === undefined) return (run) => void setImmediate(run);
  const outside = AsyncLocalStorage.snapshot();
  return (run) => void outside(setImmediate, run);
}
