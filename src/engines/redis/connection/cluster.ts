import { SlotMap, slotOf, tagIn } from './slots.ts';
import { type Connected, Discovery } from './discovery.ts';
import type { HostPort, RedisAddress } from './options.ts';
import type { IsAffected, Placement } from './placement.ts';
import type { Trouble } from '../../../core/ports/broker.ts';
import { ClusterChannels } from './cluster-channels.ts';
import { ignored } from '../../shared/ignored.ts';
import type { Keys } from './keys.ts';
import type { ServerRole } from './handshake.ts';
import { SERVED } from './rights.ts';
import { UnavailableShard } from './unavailable-shard.ts';
import { scriptsIn } from './script.ts';
import { ServerConnections, type ServerCommons } from './server-connections.ts';
import { UnservedSlots } from './unserved-slots.ts';
import type { Shard } from './shard.ts';

const script = scriptsIn('connection');
const REGISTER_RUNS = script('register-runs');
/** How soon the runs are registered again where nothing has changed. */
const REGISTER_MS = 5_000;
/** Slots that arrive are told of so long after the first. */
const ARRIVED_MS = 5_000;
/** A new master that does not serve by then is said to be away, and why. */
const NEWCOMER_MS = 2_000;

export interface ClusterOptions extends ServerCommons {
  /** `cluster` names some of its servers. */
  readonly address: RedisAddress;
  readonly keys: Keys;
}

/**
 * The masters of a Cluster, each with two connections of its own. A command goes to the master that has its slot, and is
 * never sent on to another by itself: whoever asked hears that it is away, and sends it again in his own order. A slot
 * that is on its way from one server to another counts as away until it takes commands again (docs/adr/0012).
 */
export class Cluster implements Placement {
  readonly #options: ClusterOptions;
  readonly #discovery: Discovery;
  readonly #unavailable: Shard;
  readonly #shards = new Map<string, ServerConnections>();
  readonly #channels: ClusterChannels;
  readonly #troubles: UnservedSlots;
  readonly #whenUp: ((isAffected: IsAffected) => void)[] = [];
  readonly #whenSubscribed: ((isAffected: IsAffected) => void)[] = [];
  readonly #whenReconnected: (() => void)[] = [];
  readonly #whenSlotsMoved: (() => void)[] = [];
  #map = SlotMap.empty;
  /** The name of the data; unknown until the server that keeps it was there once. */
  #data: string | undefined;
  /** The runs that were last registered. */
  #registered = '';
  #registeredAt = Number.NEGATIVE_INFINITY;
  #cancelArrived: (() => void) | undefined;
  /** Of servers that are no masters any more. */
  #formerLosses = 0;
  #formerRevivals = 0;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#discovery = new Discovery({
      ...options,
      connected: () => this.#connected(),
      heard: (map) => this.#take(map),
      isChanging: () => !this.up || !this.subscribed || this.#troubles.any || this.#channels.unplaced,
    });
    this.#unavailable = new UnavailableShard(() => this.#now());
    this.#channels = new ClusterChannels({
      whose: (channel) => this.#serverOf(slotOf(channel))?.subscriptions,
      arrived: (channels) => this.#tell(this.#whenSubscribed, (name) => channels.has(name)),
    });
    this.#troubles = new UnservedSlots({
      isServed: (slot, keys) => this.#isServed(slot, keys),
      over: (slots) => this.#recovered(slots),
    });
  }

  get up(): boolean {
    const shards = [...this.#shards.values()];
    return this.#isKnown() && shards.length > 0 && shards.every(({ link }) => link.up);
  }

  get subscribed(): boolean {
    const shards = [...this.#shards.values()];
    return shards.length > 0 && shards.every(({ subscriptions }) => subscriptions.up);
  }

  get losses(): number {
    return [...this.#shards.values()].reduce((sum, { link }) => sum + link.losses, this.#formerLosses);
  }

  get revivals(): number {
    const shards = [...this.#shards.values()];
    return shards.reduce((sum, { subscriptions }) => sum + subscriptions.revivals, this.#formerRevivals);
  }

  troubles(): readonly Trouble[] {
    const troubles = [...this.#shards.values()].flatMap((shard) => shard.troubles());
    if (troubles.length > 0 || this.up) return troubles;
    const reason = this.#shards.size > 0 ? 'which data it has is not known yet' : this.#discovery.lastError;
    return [{ part: 'cluster', lost: 'answers', reason }];
  }

  slotOf(name: string): number {
    return slotOf(name);
  }

  isUp(part: number): boolean {
    return this.#shardAt(part).up;
  }

  shardOf(name: string): Shard {
    return this.#shardAt(slotOf(name));
  }

  async subscribe(channel: string): Promise<void> {
    await this.#channels.subscribe(channel);
  }

  unsubscribe(channel: string): void {
    this.#channels.unsubscribe(channel);
  }

  hears(channel: string): boolean {
    return this.#channels.hears(channel);
  }

  whenUp(task: (isAffected: IsAffected) => void): void {
    this.#whenUp.push(task);
  }

  whenSubscribed(task: (isAffected: IsAffected) => void): void {
    this.#whenSubscribed.push(task);
  }

  whenReconnected(task: () => void): void {
    this.#whenReconnected.push(task);
  }

  whenSlotsMoved(task: () => void): void {
    this.#whenSlotsMoved.push(task);
  }

  start(): void {
    this.#discovery.start();
  }

  stop(): void {
    this.#discovery.stop();
    this.#cancelArrived?.();
    for (const shard of this.#shards.values()) shard.stop();
  }

  warn(): void {
    for (const { link } of this.#shards.values()) if (!link.up) link.warn();
    if (this.#shards.size > 0) return;
    const reason = this.#discovery.lastError;
    this.#options.log.warn({ reason }, 'the Redis Cluster is away; this pod goes on by itself');
  }

  /** By the clock of any server: of what none has at present. */
  #now(): number {
    const links = [...this.#shards.values()].map(({ link }) => link);
    return (links.find(({ up }) => up) ?? links[0])?.now() ?? this.#options.clock.now();
  }

  #isKnown(): boolean {
    return this.#data !== undefined;
  }

  #serverOf(slot: number): ServerConnections | undefined {
    const address = this.#map.ownerOf(slot);
    return address === undefined ? undefined : this.#shards.get(address);
  }

  #shardAt(slot: number): Shard {
    const shard = this.#serverOf(slot);
    if (shard === undefined || !this.#isKnown() || this.#troubles.has(slot)) return this.#unavailable;
    return shard.link;
  }

  #connected(): Connected[] {
    const there: Connected[] = [];
    for (const [address, { link }] of this.#shards) {
      const server = this.#map.masters.get(address)?.server;
      if (link.up && server !== undefined) there.push({ server, link });
    }
    return there;
  }

  /** Sees to it that this pod does with each server what it should. */
  async #take(map: SlotMap | undefined): Promise<void> {
    if (map !== undefined) this.#follow(map);
    await this.#settle();
  }

  #follow(map: SlotMap): void {
    const moved = map.slotsElsewhereThan(this.#map);
    this.#map = map;
    for (const [address, { server }] of map.masters) {
      if (!this.#shards.has(address)) this.#add(address, server);
    }
    if (moved.size > 0 || this.#channels.unplaced) this.#channels.place();
    for (const [address, shard] of this.#shards) {
      if (map.masters.has(address)) continue;
      this.#formerLosses += shard.link.losses;
      this.#formerRevivals += shard.subscriptions.revivals;
      this.#shards.delete(address);
      shard.stop();
    }
    // A master that was there all the time has got what another had.
    const there = new Set([...moved].filter((slot) => this.#shardAt(slot).up));
    if (there.size > 0) this.#recovered(there);
  }

  #add(address: string, server: HostPort): void {
    const { keys, pod, scripts } = this.#options;
    const tag = (): string => tagIn(this.#map.masters.get(address)?.slots ?? new Set([slotOf('')]));
    const role: ServerRole = {
      // What a pod also does at each of them; whether it takes writes comes out with the other rights.
      prove: async (client) => void (await client.cluster('SLOTS')),
      text: (one) => one.clustered,
      publish: (client, channel, text) => client.spublish(channel, text),
      data: () => this.#data ?? '',
      samples: () => keys.samples(pod, tag()),
      elsewhere: (reason, names) => this.#elsewhere(reason, names),
    };
    const shard = new ServerConnections({
      ...this.#options,
      address: { ...this.#options.address, cluster: undefined, server },
      scripts: [REGISTER_RUNS, ...scripts],
      role,
      sharded: { elsewhere: (channels) => this.#channelsElsewhere(channels) },
      probeChannel: () => keys.probe(pod, tag()),
    });
    this.#shards.set(address, shard);
    shard.link.whenUp(() => void this.#settle(shard));
    shard.subscriptions.whenUp(() => this.#heard(shard));
    shard.start();
    // At the start all are looked at together (`warn`).
    if (this.#isKnown()) this.#options.clock.after(NEWCOMER_MS, () => warnOf(shard));
  }

  /** A command was refused for what the server has, or has not. */
  #elsewhere(reason: string, keys: readonly string[]): void {
    const [key] = keys;
    const slot = key === undefined ? Number(/^\w+ (\d+) /.exec(reason)?.[1]) : slotOf(key);
    if (Number.isNaN(slot)) return this.#discovery.askSoon();
    this.#troubles.add(slot, keys);
    this.#discovery.askSoon();
  }

  #channelsElsewhere(channels: readonly string[]): void {
    this.#channels.displace(channels);
    this.#discovery.askSoon();
  }

  /** `newcomer`: its connection for commands has come up. */
  async #settle(newcomer?: ServerConnections): Promise<void> {
    const wasKnown = this.#isKnown();
    await this.#register().catch(ignored);
    if (!this.#isKnown()) return;
    // What is there before the name of the data is known is of no use to anybody.
    const shards = wasKnown ? [newcomer] : [...this.#shards.values()];
    for (const shard of shards) {
      if (!shard?.link.up) continue;
      this.#tell(this.#whenUp, (name) => this.#serverOf(slotOf(name)) === shard);
      this.#heard(shard);
      for (const task of this.#whenReconnected) task();
    }
    await this.#troubles.look();
  }

  /** Tells the server that has what belongs to no room which runs there are. Raises Unavailable. */
  async #register(): Promise<void> {
    const { keys } = this.#options;
    const home = this.#serverOf(slotOf(keys.epoch))?.link;
    if (!home?.up) return;
    const links = [...this.#shards.values()].map(({ link }) => link);
    // One that is not there yet would be taken for one that is no more.
    const runs = links.every(({ up }) => up) ? links.map(({ run }) => run).toSorted() : [];
    const all = runs.join(' ');
    const now = this.#options.clock.elapsed();
    const isDue = all !== '' && (all !== this.#registered || now >= this.#registeredAt + REGISTER_MS);
    if (this.#isKnown() && !isDue) return;
    // Also where nothing has changed: that server may have lost its data, and then the data has another name.
    this.#registeredAt = now;
    const args = [home.now(), runs.length, ...runs, ...this.#registered.split(' ').filter(Boolean)];
    this.#data = String(await home.call(REGISTER_RUNS, [keys.epoch], args));
    if (all !== '') this.#registered = all;
  }

  #heard(shard: ServerConnections): void {
    if (!this.#isKnown() || !shard.link.up || !shard.subscriptions.up) return;
    this.#tell(this.#whenSubscribed, (name) => this.#serverOf(slotOf(name)) === shard);
  }

  async #isServed(slot: number, keys: readonly string[]): Promise<boolean> {
    const link = this.#serverOf(slot)?.link;
    if (!link?.up) return false;
    if (keys.length === 0) return true;
    return link.call(SERVED, keys, []).then(
      () => true,
      () => false,
    );
  }

  #recovered(slots: ReadonlySet<number>): void {
    const isAffected: IsAffected = (name) => slots.has(slotOf(name));
    this.#tell(this.#whenUp, isAffected);
    this.#tell(this.#whenSubscribed, isAffected);
    this.#cancelArrived ??= this.#options.clock.after(ARRIVED_MS, () => {
      this.#cancelArrived = undefined;
      for (const task of this.#whenSlotsMoved) task();
    });
  }

  #tell(tasks: readonly ((isAffected: IsAffected) => void)[], isAffected: IsAffected): void {
    for (const task of tasks) task(isAffected);
  }
}

/** Also of one that has never been there: a replica that took over, and takes no writes yet. */
function warnOf({ link }: ServerConnections): void {
  if (!link.up) link.warn();
}
