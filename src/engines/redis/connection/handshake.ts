import { type Names, proveRights } from './rights.ts';
import { createHash } from 'node:crypto';
import { ignored } from '../../shared/ignored.ts';
import type { Redis } from 'ioredis';
import type { Script, ScriptText } from './script.ts';

/** How much of the name of a run goes into positions. */
const RUN_LENGTH = 6;
const LEAST_VERSION = 7;

/** The server at the other end, as long as the connection lives. */
export interface ServerIdentity {
  /** Names the time for which this process is master, which begins with its start or with a failover to it. */
  readonly run: string;
  /** Names the process, whether it is master or replica. */
  readonly process: string;
  /** What it calls this connection. */
  readonly connection: number;
  /** How it chooses the keys that it throws away when its memory is full; undefined: it keeps all. */
  readonly eviction: string | undefined;
}

/** What differs between one server and those of a Cluster. */
export interface ServerRole {
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

export interface HandshakeOptions {
  readonly role: ServerRole;
  readonly scripts: readonly Script[];
  /** Takes an answer to TIME, and gives the time. */
  readonly learn: (time: readonly (string | number)[]) => number;
  /** Watches over a step until it is answered. */
  readonly asking: <Reply>(step: Promise<Reply>) => Promise<Reply>;
  /** What the server refused last. */
  readonly refused: Names;
  /** Before this connection; its last commands may be on their way still. */
  readonly previous: ServerIdentity | undefined;
}

/** Learns who the server is, and that it can be used. Raises what Redis answers otherwise. */
export async function handshake(client: Redis, options: HandshakeOptions): Promise<ServerIdentity> {
  const { role, scripts, learn, asking, refused, previous } = options;
  const [info, now, connection] = await asking(
    Promise.all([
      client.info('server', 'replication', 'memory'),
      client.time().then(learn),
      // Not every ACL permits it.
      client.client('ID').catch(() => 0),
      ...scripts.map((script) => client.script('LOAD', role.text(script).lua)),
    ]),
  );
  const process = wordIn(info, 'run_id');
  const run = runOf(process, wordIn(info, 'master_replid'));
  requireVersion(info);
  // First: it names all that is missing, and what follows only that something is.
  await asking(proveRights({ ...role, client, samples: role.samples(), refused }));
  await asking(role.prove(client, run, now, previous?.run ?? ''));
  const server = { run, process, connection, eviction: evictionOf(info) };
  await asking(cutOff(client, server, previous));
  return server;
}

/** What is still on its way on the connection before this one must not arrive after it was sent again. */
async function cutOff(
  client: Redis,
  { process, connection }: ServerIdentity,
  previous: ServerIdentity | undefined,
): Promise<void> {
  if (previous?.process !== process || previous.connection === connection) return;
  // It is gone already, or an ACL forbids it: then only what is late by the clock is not taken (append.lua).
  await client.client('KILL', 'ID', previous.connection).catch(ignored);
}

/**
 * A process that becomes master again keeps its `run_id`, and may lack what another one took in between; its
 * `master_replid` is another one each time.
 */
function runOf(process: string, replication: string): string {
  return createHash('sha256').update(`${process} ${replication}`).digest('hex').slice(0, RUN_LENGTH);
}

/** Without a limit nothing is ever thrown away. */
function evictionOf(info: string): string | undefined {
  const policy = wordIn(info, 'maxmemory_policy');
  return Number(wordIn(info, 'maxmemory')) > 0 && policy !== 'noeviction' ? policy : undefined;
}

function wordIn(info: string, name: string): string {
  return new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1] ?? '';
}

/** Older ones neither tell errors of scripts apart nor fence them (docs/platform/redis.md). */
function requireVersion(info: string): void {
  const version = wordIn(info, 'redis_version');
  if (Number.parseInt(version, 10) < LEAST_VERSION) {
    throw new Error(`Redis ${LEAST_VERSION} or newer is needed, this is ${version}`);
  }
}
