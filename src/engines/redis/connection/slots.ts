import slotOfKey from 'cluster-key-slot';
import type { HostPort } from './options.ts';

const SLOTS = 16_384;

/** The slot of a Cluster that has a key or a channel: of its hash tag, if it has one. */
export function slotOf(name: string): number {
  return slotOfKey(name);
}

/** A hash tag whose slot is one of these. */
export function tagIn(slots: ReadonlySet<number>): string {
  for (let number = 0; ; number += 1) if (slots.has(slotOf(String(number)))) return String(number);
}

interface SlotRange {
  readonly first: number;
  readonly last: number;
  /** The master, then its replicas. */
  readonly servers: readonly HostPort[];
}

interface SlotMaster {
  readonly server: HostPort;
  readonly slots: Set<number>;
}

/** Which master has which slots. */
export class SlotMap {
  /** By address. */
  readonly masters: ReadonlyMap<string, { readonly server: HostPort; readonly slots: ReadonlySet<number> }>;
  /** Every server that was named, replicas too. */
  readonly servers: readonly HostPort[];
  readonly #owners: readonly (string | undefined)[];
  /** Equal for two answers that say the same. */
  readonly #text: string;

  private constructor(ranges: readonly SlotRange[], text: string) {
    const masters = new Map<string, SlotMaster>();
    const owners = Array.from<string | undefined>({ length: SLOTS });
    for (const { first, last, servers } of ranges) {
      const [server] = servers;
      if (server === undefined) continue;
      const address = addressOf(server);
      const master = masters.get(address) ?? { server, slots: new Set() };
      masters.set(address, master);
      for (let slot = first; slot <= last; slot += 1) {
        master.slots.add(slot);
        owners[slot] = address;
      }
    }
    this.masters = masters;
    this.servers = ranges.flatMap(({ servers }) => servers);
    this.#owners = owners;
    this.#text = text;
  }

  static readonly empty = new SlotMap([], '[]');

  /**
   * Reads an answer to CLUSTER SLOTS (https://redis.io/docs/latest/commands/cluster-slots/) that the server `asked`
   * gave. Gives this map if the answer says the same: nearly all do, and a new map takes a step for each slot.
   */
  or(reply: unknown, asked: HostPort): SlotMap {
    const ranges = (reply as [number, number, ...[string | null, number][]][]).map(
      ([first, last, ...nodes]) => ({
        first,
        last,
        servers: nodes.map(([host, port]) => serverOf(host, port, asked)),
      }),
    );
    const text = JSON.stringify(ranges);
    return text === this.#text ? this : new SlotMap(ranges, text);
  }

  /** Slots that have a master, and another one than in that map. */
  slotsElsewhereThan(other: SlotMap): Set<number> {
    const slots = new Set<number>();
    if (other === this) return slots;
    for (const [slot, owner] of this.#owners.entries()) {
      if (owner !== undefined && owner !== other.#owners[slot]) slots.add(slot);
    }
    return slots;
  }

  /** The address of its master; undefined if none is known. */
  ownerOf(slot: number): string | undefined {
    return this.#owners[slot];
  }
}

export function addressOf({ host, port }: HostPort): string {
  return `${host}:${port}`;
}

/** A server that does not know its own name is reached by the one under which it was asked. */
function serverOf(host: string | null, port: number, asked: HostPort): HostPort {
  return { host: host === null || host === '' || host === '?' ? asked.host : host, port };
}
