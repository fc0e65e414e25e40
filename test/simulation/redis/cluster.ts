import type { ModelServer } from './server.ts';

/** Who has which slots in a model Cluster, as all its servers say; the world changes it. */
export class ClusterView {
  /** Every slot from `first` to `last` is this master's. */
  assign(_master: ModelServer, _first: number, _last: number): void {
    throw new Error('not made yet');
  }

  ownerOf(_slot: number): ModelServer | undefined {
    throw new Error('not made yet');
  }

  /** Begins to move a slot: its owner migrates it, `to` imports it, keys stay until `moveKeys`. */
  beginMove(_slot: number, _to: ModelServer): void {
    throw new Error('not made yet');
  }

  /** Moves so many of the slot's keys; gives how many went. */
  moveKeys(_slot: number, _most: number): number {
    throw new Error('not made yet');
  }

  /** Moves what is left; the slot is the other's from now on, and its former owner ends the subscriptions in it. */
  endMove(_slot: number): void {
    throw new Error('not made yet');
  }

  /** A replica takes over all slots of its master, which is not told: call `replicaOf` on that when it is back. */
  takeOver(_replica: ModelServer): void {
    throw new Error('not made yet');
  }
}
