import type { ConnectOptions, Resumed, ResumeOptions } from './commands.ts';
import { pathOf, roomName } from './crowd.ts';
import { DIALECTS, type Dialect } from './dialect.ts';
import { roomOf } from './layout.ts';
import { findMessage } from './message.ts';
import { oneByOne } from './one-by-one.ts';
import { RawSocket } from './raw-socket.ts';

const RESUME_TIMEOUT_MS = 15_000;

/**
 * Connects clients that resume their room from `positions` (by room) and miss so many messages, then breaks their
 * connections. Throws unless each was recovered and received as many.
 */
export async function resumeAll(
  { ports, rooms, ways }: ConnectOptions,
  positions: readonly string[],
  { clients, messages }: ResumeOptions,
): Promise<Resumed> {
  const [way] = ways;
  const layout = { rooms, ports: ports.length };
  const sockets: RawSocket[] = [];
  let bytes = 0;
  const cpu = process.cpuUsage();
  const from = performance.now();
  await oneByOne(clients, async (index) => {
    const room = roomOf(index, layout);
    const name = roomName(room, layout);
    const position = positions[room];
    if (way === undefined || position === undefined) throw new Error(`${name}: no position to resume from`);
    const client = new Returning(DIALECTS[way.dialect], name, position);
    // The publishers of the room have the lowest numbers.
    const path = pathOf(way, name, rooms + index);
    sockets.push(await client.resume(ports[0] ?? 0, path, messages));
    bytes += client.bytes;
  });
  const seconds = (performance.now() - from) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  for (const socket of sockets) socket.destroy();
  return { seconds, bytesPerResume: bytes / clients, generatorLoad: (user + system) / 1e6 / seconds };
}

class Returning {
  readonly #dialect: Dialect;
  readonly #room: string;
  readonly #position: string;
  #isRecovered = false;
  #received = 0;
  /** Of all payloads so far. */
  bytes = 0;

  constructor(dialect: Dialect, room: string, position: string) {
    this.#dialect = dialect;
    this.#room = room;
    this.#position = position;
  }

  /** Resolves when it has received so many messages. */
  resume(port: number, path: string, messages: number): Promise<RawSocket> {
    const { resume } = this.#dialect;
    if (resume === undefined) return Promise.reject(new Error(`${path}: this dialect cannot resume`));
    return new Promise((resolve, reject) => {
      const missing = (): string =>
        `recovered: ${this.#isRecovered}, ${this.#received} of ${messages} messages`;
      const timeout = setTimeout(() => reject(new Error(`${path}: ${missing()}`)), RESUME_TIMEOUT_MS);
      const socket = new RawSocket({
        port,
        path: `${path}${resume.query?.(this.#position) ?? ''}`,
        onOpen: () => {
          if (resume.first !== undefined) socket.send([resume.first(this.#room, this.#position)]);
        },
        onText: (bytes, start, end) => {
          this.#read(bytes, start, end);
          if (!this.#isRecovered || this.#received < messages) return;
          clearTimeout(timeout);
          resolve(socket);
        },
        onClose: ({ error, code }) => {
          clearTimeout(timeout);
          reject(new Error(`${path}: ${error?.message ?? `closed with ${code}`}, ${missing()}`));
        },
      });
    });
  }

  #read(bytes: Buffer, start: number, end: number): void {
    this.bytes += end - start;
    let next = findMessage(bytes, start, end);
    if (next < 0 || this.#dialect.bundles === true)
      this.#isRecovered ||= bytes.toString('utf8', start, end).includes('"recovered":true');
    for (; next >= 0; next = findMessage(bytes, next, end)) this.#received++;
  }
}
