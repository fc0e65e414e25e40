import type { EntryKind } from './record.ts';

/** The status of a connection; `idle` means that there is none, or that it has ended. */
export type ConnectionStatus = 'connecting' | 'connected' | 'reconnecting' | 'idle';

/** Shows what happens to a connection of the playground. */
export interface ConnectionDisplay {
  log(kind: EntryKind, text: string): void;
  show(status: ConnectionStatus, words: string): void;
}
