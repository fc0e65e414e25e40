import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { readScript } from '../../../src/engines/redis/connection/script.ts';

/** How often each command was run, by its name; a script's by `EVALSHA` and the name of its file. */
export interface Counts {
  /** What clients sent. */
  readonly sent: ReadonlyMap<string, number>;
  /** What scripts called. */
  readonly inside: ReadonlyMap<string, number>;
}

export interface CommandLog {
  /** What was run since the last call. */
  take(): Counts;
  stop(): void;
}

const SRC = new URL('../../../src/engines/redis/lua/', import.meta.url);
const LINE = /^\+\S+ \[\d+ (\S+)\] "(\w+)"(?: "([0-9a-f]{40})")?/;

/** Watches every command that a Redis runs (MONITOR), which slows it: for counting, not beside a measurement. */
export async function watchCommands(port: number): Promise<CommandLog> {
  const names = scriptNames();
  const socket = connect(port, '127.0.0.1');
  let [sent, inside] = [new Map<string, number>(), new Map<string, number>()];
  const watching = new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    createInterface(socket).on('line', (line) => {
      if (line === '+OK') return resolve();
      const [, source, command = '', sha = ''] = LINE.exec(line) ?? [];
      const name = [command.toUpperCase(), ...(sha === '' ? [] : [names.get(sha) ?? sha])].join(' ');
      const counts = source === 'lua' ? inside : sent;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    });
  });
  socket.write('MONITOR\r\n');
  await watching;
  return {
    take: () => {
      const counts = { sent, inside };
      [sent, inside] = [new Map(), new Map()];
      return counts;
    },
    stop: () => socket.destroy(),
  };
}

/** The scripts of Redis by their hashes: folder and file. */
function scriptNames(): Map<string, string> {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.lua'),
  );
  return new Map(files.map((file) => [readScript(new URL(file, SRC)).alone.sha, file.replace('.lua', '')]));
}
