import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from './client.ts';
import type { ConnectOptions, Way } from './commands.ts';
import { type Layout, portOf, roomOf, wayOf } from './layout.ts';
import { tokenFor } from './token.ts';
import { DIALECTS } from './dialect.ts';
import { oneByOne } from './one-by-one.ts';
import { UpgradeRefused } from './upgrade.ts';

const JOIN_TIMEOUT_MS = 15_000;

/** What a crowd reports; `index` is the number of the connection. */
export interface Listener {
  /** `text` is the answer to the join. */
  onJoined(index: number, text: string): void;
  /** The server asked a client to come later, and it will. */
  onRefused(): void;
  onMessage(index: number, number: number, at: number): void;
  onClose(index: number): void;
}

/** Connects all clients and resolves when all of them have joined. */
export async function gather(options: ConnectOptions, listener: Listener): Promise<Client[]> {
  const clients: Client[] = [];
  await oneByOne(options.connections, async (index) => {
    while (!(await isAdmitted(join(options, listener, clients, index)))) listener.onRefused();
  });
  return clients;
}

export function roomName(room: number, { rooms }: Layout): string {
  return rooms === 1 ? 'bench' : `bench-${room}`;
}

export function layoutOf({ rooms, ports }: ConnectOptions): Layout {
  return { rooms, ports: ports.length };
}

/** Path and query of the upgrade of the connection of this number. */
export function pathOf(way: Way, room: string, index: number): string {
  return way.path
    .replace('{room}', room)
    .replace('{n}', String(index))
    .replace('{token}', () => tokenFor(`u${index}`));
}

/** Resolves with false when the time has passed after which a refused client may try again. */
async function isAdmitted(joining: Promise<void>): Promise<boolean> {
  try {
    await joining;
    return true;
  } catch (error) {
    if (!(error instanceof UpgradeRefused) || error.retryAfterMs === undefined) throw error;
    await sleep(error.retryAfterMs);
    return false;
  }
}

function join(options: ConnectOptions, listener: Listener, clients: Client[], index: number): Promise<void> {
  const layout = layoutOf(options);
  const room = roomName(roomOf(index, layout), layout);
  const way = options.ways[wayOf(index, layout, options.ways.length)];
  if (way === undefined) throw new Error('nobody said how to connect');
  const path = pathOf(way, room, index);
  return new Promise((resolve, reject) => {
    const timeout = setTimeout(() => reject(new Error(`${path}: not joined in time`)), JOIN_TIMEOUT_MS);
    clients[index] = new Client({
      port: options.ports[portOf(index, layout)] ?? 0,
      path,
      room,
      dialect: DIALECTS[way.dialect],
      onJoined: (text) => {
        clearTimeout(timeout);
        listener.onJoined(index, text);
        resolve();
      },
      onMessage: (number, at) => listener.onMessage(index, number, at),
      onClose: (error) => {
        clearTimeout(timeout);
        if (error instanceof UpgradeRefused) return reject(error);
        listener.onClose(index);
        reject(new Error(`${path}: ${error?.message ?? 'closed by the server'}`));
      },
    });
  });
}
