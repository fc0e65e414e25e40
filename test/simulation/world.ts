import type { Config } from '../../src/config.ts';
import { loadConfig } from '../../src/config.ts';
import { type Kernel, Kernel as VirtualTime, type Strand } from './kernel/kernel.ts';
import { Ledger } from './clients/ledger.ts';
import { LibraryClient } from './clients/library.ts';
import { Line, type LineUser } from './network/line.ts';
import type { Lua } from './redis/lua.ts';
import { Network } from './network/network.ts';
import { type ClientPlan, type Plan, ROOMS } from './plan/plan.ts';
import { randomFor } from './kernel/seed.ts';
import type { Random } from '../hostile/random.ts';
import { RawClient } from './clients/raw.ts';
import { RedisWorld } from './redis-world.ts';
import { type LogLine, SimulatedPod } from './pods/pod.ts';

export type Client = RawClient | LibraryClient;

/** A place for a pod: when one ends another takes it, under a name of its own. */
export interface PodSlot {
  readonly name: string;
  pod: SimulatedPod;
  generation: number;
}

/** When something was done to a pod by which others may take it for dead. */
export interface Disturbance {
  readonly pod: string;
  readonly from: number;
  until: number;
}

/** All that there is in a run, and all that can be done to it. */
export class World {
  readonly kernel: Kernel;
  readonly network: Network;
  readonly redis: RedisWorld;
  readonly ledger = new Ledger();
  readonly slots: PodSlot[] = [];
  /** Every pod that ever was. */
  readonly pods: SimulatedPod[] = [];
  readonly clients: Client[] = [];
  readonly log: LogLine[] = [];
  readonly notes: { readonly time: number; readonly text: string }[] = [];
  readonly disturbances: Disturbance[] = [];
  /** When each pod ended that did. */
  readonly deaths = new Map<string, number>();
  readonly plan: Plan;
  readonly #config: Config;
  readonly #lines = new Set<Line>();
  /** Clients that go to the pod in one place only, by name; where there is none they reach nobody. */
  readonly pins = new Map<string, number>();
  readonly #ingress: Random;

  constructor(plan: Plan, lua: Lua) {
    const { seed, placement } = plan;
    this.plan = plan;
    this.kernel = new VirtualTime(seed);
    this.network = new Network(this.kernel, seed);
    this.#ingress = randomFor(seed, 'ingress');
    const { kernel, network } = this;
    this.redis = new RedisWorld({ kernel, network, seed, placement, lua, rooms: ROOMS });
    this.#config = loadConfig({ ...plan.settings, ...this.redis.env });
  }

  get config(): Config {
    return this.#config;
  }

  /** Does something later, in the name of the world. */
  after(ms: number, run: () => void): void {
    this.kernel.after(ms, this.kernel.world, run);
  }

  at(time: number, run: () => void): void {
    this.after(time - this.kernel.time, run);
  }

  note(text: string): void {
    this.notes.push({ time: this.kernel.time, text });
    this.kernel.trace(text);
  }

  addPod(index: number): PodSlot {
    const name = `pod-${index + 1}`;
    const slot = { name, pod: this.#newPod(name), generation: 1 };
    this.slots.push(slot);
    slot.pod.start();
    return slot;
  }

  #newPod(name: string): SimulatedPod {
    const { kernel, plan } = this;
    const log = (line: LogLine): void => void this.log.push(line);
    const pod = new SimulatedPod({ kernel, seed: plan.seed, name, config: this.#config, log });
    this.pods.push(pod);
    return pod;
  }

  /** Another pod takes the place of one that has ended. */
  bearPod(slot: PodSlot): void {
    slot.generation += 1;
    slot.pod = this.#newPod(`${slot.name}.${slot.generation}`);
    slot.pod.start();
    this.note(`${slot.pod.name} is born`);
  }

  /** No connection is half open any more. */
  mendLines(): void {
    for (const line of this.#lines) line.mend();
  }

  /** The process ends at once; `silently`: its machine as well, so that nobody is told. */
  killPod(slot: PodSlot, silently = false): void {
    const { pod } = slot;
    this.note(`${pod.name} dies${silently ? ', and nobody is told' : ''}`);
    this.kernel.kill(pod.strand);
    pod.open = false;
    this.deaths.set(pod.name, this.kernel.time);
    if (!silently) this.network.podDied(pod.strand);
    for (const line of this.#lines) if (line.pod === pod) line.podDied(silently);
  }

  drainPod(slot: PodSlot, ended: () => void): void {
    const { pod } = slot;
    this.note(`${pod.name} is drained`);
    pod.drain(() => {
      this.kernel.after(0, this.kernel.world, () => {
        if (pod.strand.dead) return;
        this.killPod(slot);
        ended();
      });
    });
  }

  /** Others may take the pod for dead while this lasts, and for as long as its lease after that. */
  disturb(pod: string, ms: number): void {
    this.disturbances.push({ pod, from: this.kernel.time, until: this.kernel.time + ms });
  }

  addClient(plan: ClientPlan): Client {
    const { kernel, ledger } = this;
    const options = {
      kernel,
      random: randomFor(this.plan.seed, plan.name),
      name: plan.name,
      user: plan.user,
      rooms: ROOMS,
      ledger,
      connect: (strand: Strand, target: string, user: LineUser) => this.#connect(plan, strand, target, user),
      note: (text: string) => this.note(text),
    };
    const client = plan.kind === 'raw' ? new RawClient(options) : new LibraryClient(options);
    this.clients.push(client);
    client.start();
    for (const room of plan.joins) client.join(room, 0, false);
    return client;
  }

  client(name: string): Client | undefined {
    return this.clients.find((one) => one.name === name);
  }

  /** As an ingress does: to a pod that is ready, as far as it knows. */
  #connect(plan: ClientPlan, client: Strand, target: string, user: LineUser): Line | undefined {
    const pod = this.#podFor(plan.name);
    if (pod === undefined) return undefined;
    const { kernel } = this;
    const name = `${client.name}>${pod.name}@${Math.round(kernel.time)}`;
    const line = new Line({
      kernel,
      random: randomFor(this.plan.seed, name),
      client,
      pod,
      target,
      buffer: plan.buffer,
      user,
    });
    this.#lines.add(line);
    return line;
  }

  #podFor(client: string): SimulatedPod | undefined {
    const pin = this.pins.get(client);
    if (pin !== undefined) return this.slots[pin]?.pod;
    const random = this.#ingress;
    const all = this.slots.map(({ pod }) => pod);
    const ready = all.filter((pod) => pod.open && !pod.ending && !pod.strand.dead);
    if (ready.length === 0) return undefined;
    // It may not have heard yet that a pod is no more.
    return random.chance(0.1) ? random.pick(all) : random.pick(ready);
  }
}
