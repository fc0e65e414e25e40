import type { Way } from './record.ts';

/** How it stands with a connection; `idle` is one that has ended. */
export type Standing = 'connecting' | 'connected' | 'reconnecting' | 'idle';

/** Where a connection of the playground tells what happens to it. */
export interface Bench {
  log(way: Way, text: string): void;
  show(standing: Standing, words: string): void;
}
