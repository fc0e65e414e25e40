import type { Kernel } from './kernel/kernel.ts';
import type { ModelServer } from './redis/server.ts';

/** A message as the history of a room has it. */
export interface Kept {
  readonly token: string;
  /** What its position ends with. */
  readonly at: string;
  readonly epoch: string;
}

/** A message that a room's history had, and has lost by what befell a server. */
export interface Loss extends Kept {
  readonly room: string;
  readonly time: number;
  /** The whole history went back; otherwise the message alone is gone, and its place is known. */
  readonly wentBack: boolean;
  /** When a later snapshot has brought it back; undefined: it has not come back. */
  backAt: number | undefined;
}

/** A part of a room's history that went back, as ends of positions: what was made after the first, up to the second. */
export interface Gone {
  readonly room: string;
  /** Absent where nothing is left. */
  readonly after: string | undefined;
  readonly upTo: string;
}

/** What a server has of a room. */
export interface RoomData {
  readonly kept: readonly Kept[];
  /** The newest position. */
  readonly newest: string | undefined;
}

/** `history` and `state` are the room's keys. */
export function dataIn(server: ModelServer, history: string, state: string): RoomData {
  const newest = server.command('HGET', state, 'last');
  return { kept: keptIn(server, history), newest: typeof newest === 'string' ? newest : undefined };
}

/** The messages of a stream, oldest first. */
function keptIn(server: ModelServer, key: string): Kept[] {
  const reply = server.command('XRANGE', key, '-', '+');
  if (!Array.isArray(reply)) return [];
  return (reply as [string, string[]][]).map(([at, fields]) => {
    const of = (name: string): string =>
      fields[fields.findIndex((field, index) => index % 2 === 0 && field === name) + 1] ?? '';
    return { at, epoch: of('e'), token: tokenIn(of('b')) };
  });
}

function tokenIn(body: string): string {
  return /"t":"(m\d+)"/.exec(body)?.[1] ?? '?';
}

/** What the world knows to be lost, because it was there and saw it. */
export class Losses {
  readonly all: Loss[] = [];
  /** With it went what had been trimmed before, and all that was known of it. */
  readonly gone: Gone[] = [];
  /** What each room had when anything befell it. */
  readonly had: { readonly room: string; readonly time: number; readonly tokens: ReadonlySet<string> }[] = [];
  readonly #kernel: Kernel;
  /** Of anything but messages as well: claims, states, whole servers. */
  any = false;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  compare(room: string, before: RoomData, after: RoomData, wentBack: boolean): void {
    this.any = true;
    const { time } = this.#kernel;
    this.had.push({ room, time, tokens: new Set(before.kept.map(({ token }) => token)) });
    if (wentBack && before.newest !== undefined && before.newest !== after.newest)
      this.gone.push({ room, after: after.newest, upTo: before.newest });
    const left = new Set(after.kept.map(nameOf));
    for (const loss of this.all) if (loss.room === room && left.has(nameOf(loss))) loss.backAt ??= time;
    for (const kept of before.kept) {
      if (!left.has(nameOf(kept))) this.all.push({ ...kept, room, wentBack, time, backAt: undefined });
    }
  }
}

function nameOf({ epoch, at }: Kept): string {
  return `${epoch}|${at}`;
}
