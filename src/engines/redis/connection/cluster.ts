import type { IsAffected, Placement } from './placement.ts';
import { REGISTER_RUNS, RunRegistry } from './run-registry.ts';
import type { ServerCommons, ServerRole } from './server-options.ts';
import { ServerConnections } from './server-connections.ts';
import { SlotMap, slotOf, tagIn } from './slots.ts';
import { ClusterChannels } from './cluster-channels.ts';
import { Discovery, type Master } from './discovery.ts';
import type { HostPort } from './options.ts';
import { ignored } from '../../shared/ignored.ts';
import { SERVED } from './rights.ts';
import type { Shard } from './shard.ts';
import type { Trouble } from '../../../core/ports/broker.ts';
import { UnavailableShard } from './unavailable-shard.ts';
import { UnservedSlots } from './unserved-slots.ts';

/** How long after the first slot has moved `whenSlotsMoved` is called, once for all that moved meanwhile. */
const SLOTS_MOVED_MS = 5_000;
/** A new master that does not serve by then is logged. */
const NEW_MASTER_MS = 2_000;

/**
 * The masters of a Cluster, each with two connections. A command goes to the master that has its slot, and a
 * redirection is never followed: the caller gets Unavailable, and sends the command again in its own order. A slot that
 * moves counts as unavailable until it takes commands again (docs/adr/0012).
 */
export class Cluster implements Placement {
  readonly #options: ServerCommons;
  readonly #discovery: Discovery;
  readonly #registry: RunRegistry;
  readonly #unavailable: Shard;
  /** By address. */
  readonly #servers = new Map<string, ServerConnections>();
  readonly #unserved: UnservedSlots;
  readonly channels: ClusterChannels;
  readonly #whenUp: ((isAffected: IsAffected) => void)[] = [];
  readonly #whenSubscribed: ((isAffected: IsAffected) => void)[] = [];
  readonly #whenReconnected: (() => void)[] = [];
  readonly #whenSlotsMoved: (() => void)[] = [];
  #map = SlotMap.empty;
  #cancelSlotsMoved: (() => void) | undefined;
  /** Of servers that are no masters any more. */
  #formerLosses = 0;
  #formerRevivals = 0;

  constructor(options: ServerCommons) {
    const { clock, keys } = options;
    this.#options = options;
    this.#discovery = new Discovery({
      ...options,
      connected: () => this.#connected(),
      found: (map) => this.#take(map),
      isChanging: () => !this.up || !this.subscribed || this.#unserved.any || this.channels.unplaced,
    });
    this.#registry = new RunRegistry({
      keys,
      clock,
      home: () => this.#serverOf(slotOf(keys.epoch))?.commands,
      masters: () => Array.from(this.#servers.values(), ({ commands }) => commands),
    });
    this.#unavailable = new UnavailableShard(() => this.#now());
    this.channels = new ClusterChannels({
      subscriberOf: (channel) => this.#serverOf(slotOf(channel))?.subscriber,
      moved: (channels) => this.#tell(this.#whenSubscribed, (name) => channels.has(name)),
    });
    this.#unserved = new UnservedSlots({
      isServed: (slot, names) => this.#isServed(slot, names),
      recovered: (slots) => this.#recovered(slots),
    });
  }

  get up(): boolean {
    const servers = [...this.#servers.values()];
    return this.#isKnown() && servers.length > 0 && servers.every(({ commands }) => commands.up);
  }

  get subscribed(): boolean {
    const servers = [...this.#servers.values()];
    return servers.length > 0 && servers.every(({ subscriber }) => subscriber.up);
  }

  get losses(): number {
    return [...this.#servers.values()].reduce(
      (sum, { commands }) => sum + commands.losses,
      this.#formerLosses,
    );
  }

  get revivals(): number {
    const servers = [...this.#servers.values()];
    return servers.reduce((sum, { subscriber }) => sum + subscriber.revivals, this.#formerRevivals);
  }

  troubles(): readonly Trouble[] {
    const troubles = [...this.#servers.values()].flatMap((server) => server.troubles());
    if (troubles.length > 0 || this.up) return troubles;
    const reason =
      this.#servers.size > 0 ? 'the name of its data is not known yet' : this.#discovery.lastError;
    return [{ part: 'cluster', lost: 'answers', reason }];
  }

  slotOf(name: string): number {
    return slotOf(name);
  }

  shardOf(name: string): Shard {
    const slot = slotOf(name);
    return this.#shardAt(slot);
  }

  shardOfRoom(room: string): Shard {
    return this.shardOf(this.#options.keys.roomChannel(room));
  }

  get shared(): Shard {
    return this.shardOf(this.#options.keys.pods);
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
    this.#cancelSlotsMoved?.();
    for (const server of this.#servers.values()) server.stop();
  }

  warn(): void {
    for (const server of this.#servers.values()) warnOf(server);
    if (this.#servers.size > 0) return;
    const reason = this.#discovery.lastError;
    this.#options.log.warn({ reason }, 'the Redis Cluster is unavailable; this pod continues without it');
  }

  /** The time for slots that no server has: by the clock of any server. */
  #now(): number {
    const all = Array.from(this.#servers.values(), ({ commands }) => commands);
    return (all.find(({ up }) => up) ?? all[0])?.now() ?? this.#options.clock.now();
  }

  /** Before the name of the data is known no position can be made, so that no server is of use. */
  #isKnown(): boolean {
    return this.#registry.data !== undefined;
  }

  #serverOf(slot: number): ServerConnections | undefined {
    const address = this.#map.ownerOf(slot);
    return address === undefined ? undefined : this.#servers.get(address);
  }

  #shardAt(slot: number): Shard {
    const server = this.#serverOf(slot);
    if (server === undefined || !this.#isKnown() || this.#unserved.has(slot)) return this.#unavailable;
    return server.commands;
  }

  #connected(): Master[] {
    const connected: Master[] = [];
    for (const [address, { commands }] of this.#servers) {
      const server = this.#map.masters.get(address)?.server;
      if (commands.up && server !== undefined) connected.push({ server, commands });
    }
    return connected;
  }

  async #take(map: SlotMap | undefined): Promise<void> {
    if (map !== undefined) this.#follow(map);
    await this.#settle();
  }

  #follow(map: SlotMap): void {
    const moved = map.slotsElsewhereThan(this.#map);
    this.#map = map;
    for (const [address, { server }] of map.masters) {
      if (!this.#servers.has(address)) this.#add(address, server);
    }
    if (moved.size > 0 || this.channels.unplaced) this.channels.place();
    for (const [address, server] of this.#servers) {
      if (map.masters.has(address)) continue;
      this.#formerLosses += server.commands.losses;
      this.#formerRevivals += server.subscriber.revivals;
      this.#servers.delete(address);
      server.stop();
    }
    // A new master tells when it has come up; one that was up already has got these slots.
    const recovered = new Set([...moved].filter((slot) => this.#shardAt(slot).up));
    if (recovered.size > 0) this.#recovered(recovered);
  }

  #add(address: string, host: HostPort): void {
    const options = this.#options;
    const role: ServerRole = {
      sharded: true,
      // Discovery asks each master for it; the right to write is proved with the others.
      prove: async (client) => void (await client.cluster('SLOTS')),
      data: () => this.#registry.data ?? '',
      tag: () => tagIn(this.#map.masters.get(address)?.slots ?? new Set([slotOf('')])),
      moved: (reason, keys) => this.#slotMoved(reason, keys),
      channelsMoved: (channels) => {
        this.channels.displace(channels);
        this.#discovery.askSoon();
      },
    };
    const server = new ServerConnections({
      ...options,
      address: { ...options.address, cluster: undefined, server: host },
      scripts: [REGISTER_RUNS, ...options.scripts],
      role,
    });
    this.#servers.set(address, server);
    server.commands.whenUp(() => void this.#settle(server));
    server.subscriber.whenUp(() => this.#tellSubscribed(server));
    server.start();
    // At the start `warn` logs all masters.
    if (this.#isKnown()) options.clock.after(NEW_MASTER_MS, () => warnOf(server));
  }

  /** A command was refused because the server does not have the slot, or soon will not. */
  #slotMoved(reason: string, keys: readonly string[]): void {
    const [key] = keys;
    const slot = key === undefined ? Number(/^\w+ (\d+) /.exec(reason)?.[1]) : slotOf(key);
    if (!Number.isNaN(slot)) this.#unserved.add(slot, keys);
    this.#discovery.askSoon();
  }

  /** Tells what has recovered. `server`: its connection for commands has come up. */
  async #settle(server?: ServerConnections): Promise<void> {
    const wasKnown = this.#isKnown();
    await this.#registry.register().catch(ignored);
    if (!this.#isKnown()) return;
    // Servers that came up before the name of the data was known were of no use until now.
    const recovered = wasKnown ? [server] : [...this.#servers.values()];
    for (const one of recovered) {
      if (!one?.commands.up) continue;
      this.#tell(this.#whenUp, (name) => this.#serverOf(slotOf(name)) === one);
      this.#tellSubscribed(one);
      for (const task of this.#whenReconnected) task();
    }
    await this.#unserved.look();
  }

  #tellSubscribed(server: ServerConnections): void {
    if (!this.#isKnown() || !server.commands.up || !server.subscriber.up) return;
    this.#tell(this.#whenSubscribed, (name) => this.#serverOf(slotOf(name)) === server);
  }

  async #isServed(slot: number, keys: readonly string[]): Promise<boolean> {
    const commands = this.#serverOf(slot)?.commands;
    if (!commands?.up) return false;
    if (keys.length === 0) return true;
    return commands.call(SERVED, keys, []).then(
      () => true,
      () => false,
    );
  }

  /** These slots take commands again. */
  #recovered(slots: ReadonlySet<number>): void {
    const isAffected: IsAffected = (name) => slots.has(slotOf(name));
    this.#tell(this.#whenUp, isAffected);
    this.#tell(this.#whenSubscribed, isAffected);
    this.#cancelSlotsMoved ??= this.#options.clock.after(SLOTS_MOVED_MS, () => {
      this.#cancelSlotsMoved = undefined;
      for (const task of this.#whenSlotsMoved) task();
    });
  }

  #tell(tasks: readonly ((isAffected: IsAffected) => void)[], isAffected: IsAffected): void {
    for (const task of tasks) task(isAffected);
  }
}

/** Also warns of a server that was never up: a replica that took over and takes no writes yet. */
function warnOf({ commands }: ServerConnections): void {
  if (!commands.up) commands.warn();
}
