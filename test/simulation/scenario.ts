import type { Client, World } from './world.ts';
import type { Impairment } from './network/network.ts';
import { inWorld, type Played, startPods } from './play.ts';
import type { Lua } from './redis/lua.ts';
import { observeQuiet } from './quiet.ts';
import { AFTER_MENDED, type Plan, type PlacementName } from './plan/plan.ts';
import type { Publication } from './clients/ledger.ts';
import { RawClient } from './clients/raw.ts';

/** Something that is played step by step, and judged as every run is. */
export interface Scenario {
  /** What the client or the operator sees where all is well. */
  readonly name: string;
  readonly placement: PlacementName;
  readonly pods?: number;
  readonly settings?: Readonly<Record<string, string>>;
  readonly play: (scene: Scene) => Promise<void>;
}

/** When the pods are ready, in virtual milliseconds. */
const READY_MS = 1_000;
/** A scenario that is not over by then waits for something in vain. */
const LONGEST_MS = 120_000;
const LOOK_MS = 10;

/** What a scenario can do; times are in virtual milliseconds. */
export class Scene {
  readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.world.after(ms, resolve));
  }

  /** Resolves once something is so; raises an error if it is not in time. */
  async until(what: string, isSo: () => boolean, ms = 10_000): Promise<void> {
    const late = this.world.kernel.time + ms;
    while (!isSo()) {
      if (this.world.kernel.time > late) throw new Error(`it never came to this: ${what}`);
      await this.wait(LOOK_MS);
    }
  }

  /** A client that goes to one pod only, and joins a room there. */
  async enter(
    name: string,
    room: string,
    pod: number,
    {
      kind = 'raw',
      history = 0,
      buffer = 16_384,
      user = name,
    }: { kind?: 'raw' | 'library'; history?: number; buffer?: number; user?: string } = {},
  ): Promise<Client> {
    const { world } = this;
    world.pins.set(name, pod);
    const client = world.addClient({ name, user, kind, buffer, joins: [] });
    client.join(room, history, false);
    await this.until(`${name} is in ${room}`, () => client.seat(room).state === 'in');
    return client;
  }

  /** A client's connection is gone; the next one is to another pod. */
  move(client: Client, pod: number): void {
    this.world.pins.set(client.name, pod);
    client.drop(0, true);
  }

  /** A client's connection is gone, and none is to be had until it is moved. */
  away(client: Client): void {
    this.move(client, -1);
  }

  publish(client: Client, room: string, ref = true): Publication {
    const made = client.publish(room, { ref, ephemeral: false });
    if (made === undefined) throw new Error(`${client.name} has no connection to publish by`);
    this.world.note(`${client.name} publishes ${made.token} in ${room}`);
    return made;
  }

  async acked(publication: Publication): Promise<void> {
    await this.until(`${publication.token} is acked`, () => publication.acks.length > 0);
  }

  /** Connections between pods and servers fare badly; the answer ends it. */
  impair(impairment: Omit<Impairment, 'pod'> & { readonly pod?: number }): () => void {
    const { pod, ...rest } = impairment;
    const name = pod === undefined ? undefined : this.world.slots[pod]?.pod.name;
    this.world.note(`${name ?? 'every pod'}: ${JSON.stringify(rest)}`);
    const mend = this.world.network.impair({ ...rest, pod: name });
    return () => {
      this.world.note(`${name ?? 'every pod'} is well again`);
      mend();
    };
  }

  /** What a client was told of a message, if anything. */
  had(client: Client, room: string, { token }: Publication): boolean {
    return client.seat(room).entries.some((entry) => entry.kind === 'message' && entry.token === token);
  }

  /** Who is present in a room, as a pod lists them. */
  async present(pod: number, room: string): Promise<string> {
    const list = this.world.slots[pod]?.pod.parts?.pod.roster.list(room);
    const { members } = (await list) ?? { members: [] };
    return members
      .map(({ userId }) => userId)
      .sort()
      .join(' ');
  }

  raw(client: Client): RawClient {
    if (!(client instanceof RawClient)) throw new Error(`${client.name} is a library`);
    return client;
  }
}

export interface PlayedScenario extends Played {
  /** What a step waited for in vain. */
  readonly failure: string | undefined;
}

/** Plays a scenario to its end and for as long after that as everything needs to be well. */
export function playScenario(scenario: Scenario, lua: Lua): PlayedScenario {
  let failure: string | undefined;
  const played = inWorld(planOf(scenario), lua, (world) => {
    const { kernel } = world;
    startPods(world);
    kernel.run(READY_MS);
    const state = { over: false };
    world.after(0, () => {
      scenario
        .play(new Scene(world))
        .catch((error: unknown) => {
          failure = String(error);
        })
        .finally(() => {
          state.over = true;
        });
    });
    while (!state.over && kernel.time < LONGEST_MS) kernel.run(kernel.time + LOOK_MS);
    if (!state.over) failure = 'it never came to an end';
    const quiet = observeQuiet(world, kernel.time);
    kernel.run(kernel.time + AFTER_MENDED.end);
    return quiet;
  });
  return { ...played, failure };
}

function planOf({ name, placement, pods = 2, settings = {} }: Scenario): Plan {
  return {
    seed: name,
    placement,
    pods,
    settings: {
      POD_LEASE_SECONDS: '3',
      PRESENCE_GRACE_SECONDS: '1',
      PRESENCE_TTL_SECONDS: '9',
      DRAIN_WINDOW_SECONDS: '1',
      SHUTDOWN_TIMEOUT_SECONDS: '10',
      ...settings,
    },
    clients: [],
    steps: [],
    faults: [],
  };
}
