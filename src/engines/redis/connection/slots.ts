import slotOfKey from 'cluster-key-slot';
import type { HostPort } from './options.ts';

const SLOTS = 16_384;

/** The slot of a Cluster in which a key or a channel is: of its hash tag, if it has one. */
export function slotOf(name: string): number {
  return slotOfKey(name);
}

/** A hash tag whose slot is one of these. */
export function tagIn(slots: ReadonlySet<number>): string {
  for (let number = 0; ; number += 1) if (slots.has(slotOf(String(number)))) return String(number);
}

/** Which server is the master of which slots. */
export class SlotMap {
  /** By address. */
  readonly masters: ReadonlyMap<string, { readonly server: HostPort; readonly slots: ReadonlySet<number> }>;
  /** Every server that was named, replicas too. */
  readonly servers: readonly HostPort[];
  readonly #owners: readonly (string | undefined)[];

  private constructor(masters: Map<string, { server: HostPort; slots: Set<number> }>, servers: HostPort[]) {
    const owners = Array.from<string | undefined>({ length: SLOTS });
    for (const [address, { slots }] of masters) for (const slot of slots) owners[slot] = address;
    this.masters = masters;
    this.servers = servers;
    this.#owners = owners;
  }

  static readonly empty = new SlotMap(new Map(), []);

  /** Reads an answer to CLUSTER SLOTS (https://redis.io/docs/latest/commands/cluster-slots/); `asked` gave it. */
  static of(reply: unknown, asked: HostPort): SlotMap {
    const masters = new Map<string, { server: HostPort; slots: Set<number> }>();
    const servers: HostPort[] = [];
    for (const [first, last, ...nodes] of reply as [number, number, ...[string | null, number][]][]) {
      const named = nodes.map(([host, port]) => serverOf(host, port, asked));
      servers.push(...named);
      const [server] = named;
      if (server === undefined) continue;
      const master = masters.get(addressOf(server)) ?? { server, slots: new Set() };
      masters.set(addressOf(server), master);
      for (let slot = first; slot <= last; slot += 1) master.slots.add(slot);
    }
    return new SlotMap(masters, servers);
  }

  /** Slots that have a master, and another one than in that map. */
  slotsElsewhereThan(other: SlotMap): Set<number> {
    const slots = new Set<number>();
    for (const [slot, owner] of this.#owners.entries()) {
      if (owner !== undefined && owner !== other.#owners[slot]) slots.add(slot);
    }
    return slots;
  }

  /** The address of its master; undefined where none is known. */
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
