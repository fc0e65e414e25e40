import { FAULT_KINDS } from './faults/kinds.ts';
import { installGlobals } from './kernel/globals.ts';
import type { Lua } from './redis/lua.ts';
import { type Plan, type Step, TIMES } from './plan/plan.ts';
import { observeQuiet, type Quiet } from './quiet.ts';
import { randomFor } from './kernel/seed.ts';
import { RawClient } from './clients/raw.ts';
import { World } from './world.ts';

/** What a run left behind, to be judged. */
export interface Played {
  readonly world: World;
  readonly quiet: Quiet;
  /** What the product threw where nobody caught it. */
  readonly uncaught: readonly string[];
  readonly hash: number;
  readonly events: number;
}

const BIRTHS_MS = 100;

/** Plays a plan to its end; to be called from a task of the real event loop. */
export function play(plan: Plan, lua: Lua): Played {
  return inWorld(plan, lua, (world) => {
    const quiet = schedule(world);
    world.kernel.run(TIMES.end);
    return quiet;
  });
}

/** Makes a world and puts it in the place of this process's own for as long as `act` runs. */
export function inWorld(plan: Plan, lua: Lua, act: (world: World) => Quiet): Played {
  const world = new World(plan, lua);
  const uncaught: string[] = [];
  const caught = (error: unknown): void =>
    void uncaught.push(`${world.kernel.current.name}: ${String((error as Error)?.stack ?? error)}`);
  const undo = [installGlobals(world.kernel, randomFor(plan.seed, 'global')), world.network.install()];
  process.on('unhandledRejection', caught);
  try {
    const quiet = act(world);
    return { world, quiet, uncaught, hash: world.kernel.hash, events: world.kernel.events };
  } finally {
    process.off('unhandledRejection', caught);
    for (const one of undo) one();
  }
}

/** Plans the births of the pods, one after the other. */
export function startPods(world: World): void {
  for (let index = 0; index < world.plan.pods; index += 1) {
    world.at(index * BIRTHS_MS, () => void world.addPod(index));
  }
}

function schedule(world: World): Quiet {
  const { plan } = world;
  startPods(world);
  for (const [index, client] of plan.clients.entries()) {
    world.at(TIMES.clients + index * BIRTHS_MS, () => void world.addClient(client));
  }
  for (const step of plan.steps) world.at(step.at, () => doStep(world, step));
  for (const fault of plan.faults) {
    const kind = FAULT_KINDS.find(({ name }) => name === fault.kind);
    world.at(fault.at, () => kind?.play(world, fault));
  }
  return observeQuiet(world, TIMES.mended);
}

/** Lets a client do something, if it can at that moment. */
function doStep(world: World, step: Step): void {
  const client = world.client(step.client);
  if (client === undefined) return;
  const told = (text: string): void => world.note(`${client.name} ${text}`);
  switch (step.do) {
    case 'publish': {
      const made = client.publish(step.room, step);
      const how = `${step.ref ? '' : ', without ref'}${step.ephemeral ? ', ephemeral' : ''}`;
      if (made !== undefined)
        told(`on ${client.line?.pod.name} publishes ${made.token} in ${step.room}${how}`);
      break;
    }
    case 'repeat':
      repeat(world, client, step.back);
      break;
    case 'join':
      told(`is to be in ${step.room}${step.anew ? ', as somebody new' : ''}`);
      client.join(step.room, step.history, step.anew);
      break;
    case 'leave':
      told(`is to leave ${step.room}`);
      client.leave(step.room);
      break;
    case 'state':
      client.state(step.room, step.status, { since: Math.round(world.kernel.time) });
      break;
    case 'close':
      told(`closes its connection to ${client.line?.pod.name}`);
      if (client instanceof RawClient) client.close();
      break;
    case 'drop':
      told(`loses its connection to ${client.line?.pod.name}`);
      client.drop(step.noticedAfterMs, step.arrives);
      break;
    case 'stop-reading':
      told(`reads nothing for ${step.ms} ms`);
      client.read(false);
      world.after(step.ms, () => client.read(true));
      break;
  }
}

/** Sends again what no client of the user has an ack for, as one does that cannot know whether it came through. */
function repeat(world: World, client: World['clients'][number], back: number): void {
  if (!(client instanceof RawClient)) return;
  const own = world.ledger
    .of(client.user)
    .filter(
      ({ ref, ephemeral, acks }) => ref !== undefined && ref !== 'library' && !ephemeral && acks.length === 0,
    );
  const again = own.at(-1 - back);
  if (again === undefined) return;
  world.note(`${client.name} on ${client.line?.pod.name} repeats ${again.token}`);
  client.repeat(again);
}
