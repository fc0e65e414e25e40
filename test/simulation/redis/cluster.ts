import { slotOfBytes } from './routing.ts';
import type { Address, ServerState } from './state.ts';

const SLOTS = 16_384;

/** A slot that is on its way. */
interface Move {
  readonly from: Address;
  readonly to: Address;
}

/** Whose keys, and which channels, go where a slot goes. */
export interface ClusterMember {
  readonly address: Address;
  readonly state: ServerState;
  /** Whom it follows; undefined: it is a master. */
  readonly master: ClusterMember | undefined;
  /** Its subscriptions in these slots end. */
  endSubscriptions(lost: (slot: number) => boolean): void;
  promote(): void;
}

type Owners = (Address | undefined)[];

/** Who has which slots in a model Cluster, as its servers say; the world changes it. */
export class ClusterView {
  readonly #members = new Map<Address, ClusterMember>();
  readonly #moves = new Map<number, Move>();
  #owners: Owners = Array.from<Address | undefined>({ length: SLOTS });
  /** What those believe who have not been told of a change. */
  readonly #outdated = new Map<Address, Owners>();
  /** All servers refuse commands about keys, as where a master is lost that nobody has replaced yet. */
  isDown = false;

  join(member: ClusterMember): void {
    this.#members.set(member.address, member);
  }

  /** Every slot from `first` to `last` is this master's. */
  assign(master: ClusterMember, first: number, last: number): void {
    this.#owners = this.#owners.with(first, master.address).fill(master.address, first, last + 1);
    for (const other of this.#members.values()) {
      if (other !== master) other.endSubscriptions((slot) => slot >= first && slot <= last);
    }
  }

  ownerOf(slot: number): ClusterMember | undefined {
    const owner = this.#owners[slot];
    return owner === undefined ? undefined : this.#members.get(owner);
  }

  /** Begins to move a slot: its owner migrates it, `to` imports it, keys stay until `moveKeys`. */
  beginMove(slot: number, to: ClusterMember): void {
    this.#moves.set(slot, { from: this.#required(slot).address, to: to.address });
  }

  /** Moves so many of the slot's keys; gives how many went. */
  moveKeys(slot: number, most: number): number {
    const { from, to } = this.#membersOf(slot);
    const keys = from.state.db
      .keys()
      .filter((key) => slotOfBytes(key) === slot)
      .slice(0, most);
    for (const key of keys) from.state.hand(key, to.state);
    return keys.length;
  }

  /** Moves what is left; the slot is the other's from now on, and its former owner ends the subscriptions in it. */
  endMove(slot: number): void {
    this.moveKeys(slot, Number.POSITIVE_INFINITY);
    const { from, to } = this.#membersOf(slot);
    this.#moves.delete(slot);
    this.#owners = this.#owners.with(slot, to.address);
    from.endSubscriptions((one) => one === slot);
  }

  /**
   * A replica takes over all slots of its master, also those that are on their way from or to it, as whoever moves them
   * would see to. The master goes on as if it still had them, as one does that is cut off, until it is told.
   */
  takeOver(replica: ClusterMember): void {
    const { master } = replica;
    if (master === undefined) throw new Error('a master cannot take over');
    this.#outdated.set(master.address, this.#owners);
    const heir = (address: Address): Address => (address === master.address ? replica.address : address);
    this.#owners = this.#owners.map((owner) => owner && heir(owner));
    for (const [slot, { from, to }] of this.#moves) this.#moves.set(slot, { from: heir(from), to: heir(to) });
    replica.promote();
  }

  /** The server learns who has which slots; subscriptions end in those that it has no longer. */
  tell(member: ClusterMember): void {
    if (!this.#outdated.delete(member.address)) return;
    member.endSubscriptions((slot) => this.#owners[slot] !== member.address);
  }

  ownerAsSeenBy(address: Address, slot: number): Address | undefined {
    return (this.#outdated.get(address) ?? this.#owners)[slot];
  }

  moveOf(slot: number): Move | undefined {
    return this.#moves.get(slot);
  }

  /** Ranges of slots that have the same master, and who that is; then its replicas. */
  rangesAsSeenBy(address: Address): { first: number; last: number; servers: ClusterMember[] }[] {
    const owners = this.#outdated.get(address) ?? this.#owners;
    const ranges: { first: number; last: number; servers: ClusterMember[] }[] = [];
    for (let first = 0; first < SLOTS;) {
      const owner = owners[first];
      let last = first;
      while (last + 1 < SLOTS && owners[last + 1] === owner) last += 1;
      const master = owner === undefined ? undefined : this.#members.get(owner);
      if (master !== undefined) ranges.push({ first, last, servers: [master, ...this.#replicasOf(master)] });
      first = last + 1;
    }
    return ranges;
  }

  #replicasOf(master: ClusterMember): ClusterMember[] {
    return [...this.#members.values()].filter((member) => member.master === master);
  }

  #required(slot: number): ClusterMember {
    const owner = this.ownerOf(slot);
    if (owner === undefined) throw new Error(`nobody has slot ${slot}`);
    return owner;
  }

  #membersOf(slot: number): { from: ClusterMember; to: ClusterMember } {
    const move = this.#moves.get(slot);
    const from = move && this.#members.get(move.from);
    const to = move && this.#members.get(move.to);
    if (from === undefined || to === undefined) throw new Error(`slot ${slot} is not on its way`);
    return { from, to };
  }
}
