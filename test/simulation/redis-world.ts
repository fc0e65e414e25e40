import { ClusterView } from './redis/cluster.ts';
import type { Dump } from './redis/data.ts';
import { type Endpoint } from './network/wire.ts';
import { type Kernel, Strand } from './kernel/kernel.ts';
import { Keys } from '../../src/engines/redis/connection/keys.ts';
import type { Lua } from './redis/lua.ts';
import { ModelSentinel } from './redis/sentinel.ts';
import { ModelServer } from './redis/server.ts';
import type { Network } from './network/network.ts';
import type { PlacementName } from './plan/plan.ts';
import { randomFor } from './kernel/seed.ts';
import { slotOf } from '../../src/engines/redis/connection/slots.ts';
import { dataIn, type Kept, Losses, type RoomData } from './losses.ts';

const SLOTS = 16_384;
const MASTERS = 3;
/** How often replicas are given what their masters did. */
const REPLICATION_MS = 40;
const GROUP = 'mymaster';

/** A model server and where it is. */
export interface Node {
  readonly server: ModelServer;
  readonly endpoint: Endpoint;
  /** Its replica gets nothing while this is so. */
  lagging: boolean;
}

export interface RedisWorldOptions {
  readonly kernel: Kernel;
  readonly network: Network;
  readonly seed: string;
  readonly placement: PlacementName;
  readonly lua: Lua;
  readonly rooms: readonly string[];
}

/** The servers of one run, as the placement has them, and what an operator, or Sentinels, do with them. */
export class RedisWorld {
  readonly nodes: Node[] = [];
  readonly losses: Losses;
  readonly #options: RedisWorldOptions;
  readonly #view: ClusterView | undefined;
  readonly #sentinels: { readonly model: ModelSentinel; readonly endpoint: Endpoint }[] = [];
  readonly #keys: Keys;

  constructor(options: RedisWorldOptions) {
    this.#options = options;
    const { placement } = options;
    const isCluster = placement === 'cluster';
    this.#view = isCluster ? new ClusterView() : undefined;
    this.#keys = new Keys('', isCluster);
    this.losses = new Losses(options.kernel);
    const count = { one: 1, sentinel: 2, cluster: 2 * MASTERS }[placement];
    for (let number = 1; number <= count; number += 1) this.#add(number);
    if (placement === 'sentinel') this.#makeSentinels();
    if (isCluster) this.#makeCluster();
    if (placement !== 'one') this.#replicate();
  }

  /** How a pod finds the servers. */
  get env(): Record<string, string> {
    switch (this.#options.placement) {
      case 'one':
        return { REDIS_URL: 'redis://redis-1:6379' };
      case 'sentinel':
        return {
          REDIS_SENTINELS: 'sentinel-1:26379,sentinel-2:26379,sentinel-3:26379',
          REDIS_SENTINEL_MASTER: GROUP,
        };
      case 'cluster':
        return { REDIS_CLUSTER: 'redis-1:6379,redis-2:6379,redis-3:6379' };
    }
  }

  get keys(): Keys {
    return this.#keys;
  }

  get masters(): Node[] {
    return this.nodes.filter(({ server }) => server.role === 'master');
  }

  /** The master that has what belongs to a room, as the others see it. */
  nodeOf(room: string): Node {
    return this.nodeOfKey(this.#keys.history(room));
  }

  nodeOfKey(key: string): Node {
    const owner = this.#view?.ownerOf(slotOf(key));
    const node = this.nodes.find(({ server }) => server === owner) ?? this.#master();
    return node;
  }

  kept(room: string): readonly Kept[] {
    return this.#dataOf(room).kept;
  }

  #dataOf(room: string, node = this.nodeOf(room)): RoomData {
    return dataIn(node.server, this.#keys.history(room), this.#keys.state(room));
  }

  replicaOf(node: Node): Node | undefined {
    return this.#replicas.get(node);
  }

  /** A slot is on its way; one at a time. */
  moving = false;
  readonly #replicas = new Map<Node, Node>();
  /** Where there is one master: who it is, as the Sentinels say. */
  #current: Node | undefined;

  /** The process ends; what was under way to it is lost. */
  down(node: Node): void {
    node.endpoint.listening = false;
    node.server.closeConnections();
  }

  /** Another process in its place. What it has no longer of what it had is lost. */
  up(node: Node, data: 'kept' | 'lost' | Dump): void {
    this.#losing(() => node.server.restart(data));
    node.endpoint.listening = true;
  }

  /** Does something to the data of the servers, and notes which messages that has cost. */
  #losing(act: () => void, wentBack = true): void {
    const { rooms } = this.#options;
    const before = rooms.map((room) => ({ room, data: this.#dataOf(room) }));
    act();
    for (const { room, data } of before) this.losses.compare(room, data, this.#dataOf(room), wentBack);
  }

  evict(node: Node, key: string): void {
    this.#losing(() => node.server.evict(key), false);
  }

  flushAll(node: Node): void {
    this.#losing(() => node.server.flushAll());
  }

  /**
   * The replica of a master takes over, with what has come to it until now; the old master serves on until
   * `demote`, as one does that nobody can reach.
   */
  failOver(node: Node): Node | undefined {
    const replica = this.#replicas.get(node);
    if (replica === undefined) return undefined;
    this.#losing(() => {
      if (this.#view === undefined) replica.server.promote();
      else this.#view.takeOver(replica.server);
      this.#current = replica;
    });
    this.#replicas.delete(node);
    for (const { model } of this.#sentinels) model.switchMaster(replica.server.address);
    return replica;
  }

  /** A former master follows the one that took over; what it alone has is lost. */
  demote(node: Node, master: Node): void {
    for (const room of this.#options.rooms) {
      if (this.nodeOf(room) !== master) continue;
      this.losses.compare(room, this.#dataOf(room, node), this.#dataOf(room), true);
    }
    node.server.replicaOf(master.server);
    node.server.catchUp();
    node.lagging = false;
    this.#replicas.set(master, node);
  }

  /** The slot of a room goes to another master, in two steps. */
  beginMove(room: string, to: Node): void {
    this.#view?.beginMove(slotOf(this.#keys.history(room)), to.server);
  }

  moveKeys(room: string, most: number): number {
    return this.#view?.moveKeys(slotOf(this.#keys.history(room)), most) ?? 0;
  }

  endMove(room: string): void {
    this.#view?.endMove(slotOf(this.#keys.history(room)));
  }

  #master(): Node {
    return (this.#current ?? this.masters[0] ?? this.nodes[0]) as Node;
  }

  #add(number: number): void {
    const { kernel, network, seed, lua } = this.#options;
    const name = `redis-${number}`;
    const strand = new Strand(name);
    const random = randomFor(seed, name);
    const address = { host: name, port: 6_379 };
    const server = new ModelServer({
      name,
      address,
      now: () => kernel.now(strand),
      random: () => random.next(),
      lua,
      ...(this.#view !== undefined && { cluster: this.#view }),
    });
    const endpoint: Endpoint = {
      name,
      address,
      strand,
      listening: true,
      connect: (send, closed) => server.connect(send, closed),
    };
    network.add(endpoint);
    this.nodes.push({ server, endpoint, lagging: false });
  }

  #makeSentinels(): void {
    const { network } = this.#options;
    const [master, replica] = this.nodes as [Node, Node];
    this.#current = master;
    replica.server.replicaOf(master.server);
    replica.server.catchUp();
    this.#replicas.set(master, replica);
    const addresses = [1, 2, 3].map((number) => ({ host: `sentinel-${number}`, port: 26_379 }));
    for (const address of addresses) {
      const model = new ModelSentinel({
        address,
        group: GROUP,
        master: master.server.address,
        replicas: [replica.server.address],
        others: addresses.filter((other) => other !== address),
      });
      const endpoint: Endpoint = {
        name: address.host,
        address,
        strand: new Strand(address.host),
        listening: true,
        connect: (send, closed) => model.connect(send, closed),
      };
      network.add(endpoint);
      this.#sentinels.push({ model, endpoint });
    }
  }

  #makeCluster(): void {
    const width = Math.ceil(SLOTS / MASTERS);
    for (let index = 0; index < MASTERS; index += 1) {
      const [master, replica] = [this.nodes[index], this.nodes[index + MASTERS]] as [Node, Node];
      this.#view?.assign(master.server, index * width, Math.min(SLOTS, (index + 1) * width) - 1);
      replica.server.replicaOf(master.server);
      replica.server.catchUp();
      this.#replicas.set(master, replica);
    }
  }

  #replicate(): void {
    const { kernel } = this.#options;
    kernel.after(REPLICATION_MS, kernel.world, () => {
      for (const [master, replica] of this.#replicas) {
        if (!replica.lagging && !master.endpoint.strand.frozen) replica.server.catchUp();
      }
      this.#replicate();
    });
  }
}
