import { ignored } from '../pods/away.ts';
import { type Names, proveRights } from './rights.ts';
import type { Redis } from 'ioredis';
import type { Script, ScriptText } from './script.ts';

/** How much of a server's run id goes into positions. */
const RUN_LENGTH = 6;
const LEAST_VERSION = 7;

/** The server at the other end, as long as the connection lives. */
export interface Server {
  /** Names this run of the server: after a restart or a failover it is another one. */
  readonly run: string;
  /** What it calls this connection. */
  readonly connection: number;
}

/** What differs between one server and those of a Cluster. */
export interface LinkRole {
  /**
   * Raises an error unless this run of the server can be used; `now` is by its clock, `before` the run that this pod
   * knew there before this one, or empty.
   */
  prove(client: Redis, run: string, now: number, before: string): Promise<void>;
  /** Which form of a script is called. */
  text(script: Script): ScriptText;
  publish(client: Redis, channel: string, text: string): Promise<unknown>;
  /** The name of the data where it goes before the run into positions. */
  data(): string;
  /** Such as stand for all that pods use at the server; the first key is this pod's alone. */
  samples(): Names;
  /** Another server has, or will have, what was asked for; `keys` are those of a script. */
  elsewhere(reason: string, keys: readonly string[]): void;
}

export interface GreetingOptions {
  readonly role: LinkRole;
  readonly scripts: readonly Script[];
  /** Takes an answer to TIME, and gives the time. */
  readonly learn: (time: readonly (string | number)[]) => number;
  /** Watches over a step until it is answered. */
  readonly asking: <Reply>(step: Promise<Reply>) => Promise<Reply>;
  /** What the server refused last. */
  readonly refused: Names;
  /** Before this connection; its last commands may be on their way still. */
  readonly previous: Server | undefined;
}

/** Learns who the server is, and that it can be used. Raises what Redis answers otherwise. */
export async function greet(client: Redis, options: GreetingOptions): Promise<Server> {
  const { role, scripts, learn, asking, refused, previous } = options;
  const [info, now, connection] = await asking(
    Promise.all([
      client.info('server'),
      client.time().then(learn),
      // Not every ACL permits it.
      client.client('ID').catch(() => 0),
      ...scripts.map((script) => client.script('LOAD', role.text(script).lua)),
    ]),
  );
  const run = /run_id:(\w+)/.exec(info)?.[1]?.slice(0, RUN_LENGTH) ?? '';
  requireVersion(info);
  // First: it names all that is missing, and what follows only that something is.
  await asking(proveRights({ ...role, client, samples: role.samples(), refused }));
  await asking(role.prove(client, run, now, previous?.run ?? ''));
  const server = { run, connection };
  await asking(cutOff(client, server, previous));
  return server;
}

/** What is still on its way on the connection before this one must not arrive after it was sent again. */
async function cutOff(
  client: Redis,
  { run, connection }: Server,
  previous: Server | undefined,
): Promise<void> {
  if (previous?.run !== run || previous.connection === connection) return;
  // It is gone already, or an ACL forbids it: then only what is late by the clock is not taken (append.lua).
  await client.client('KILL', 'ID', previous.connection).catch(ignored);
}

/** Older ones neither tell errors of scripts apart nor fence them (docs/operations.md). */
function requireVersion(info: string): void {
  const version = /redis_version:(\S+)/.exec(info)?.[1] ?? '';
  if (Number.parseInt(version, 10) < LEAST_VERSION) {
    throw new Error(`Redis ${LEAST_VERSION} or newer is needed, this is ${version}`);
  }
}
