import { type Names, proveRights } from './rights.ts';
import type { Script, ScriptText } from './script.ts';
import { createHash } from 'node:crypto';
import { ignored } from '../../shared/ignored.ts';
import type { Redis } from 'ioredis';
import type { ServerRole } from './server-options.ts';

/** Characters of a run's name that go into positions. */
const RUN_LENGTH = 6;
const LEAST_VERSION = 7;

/** Names the server, for as long as the connection lives. */
export interface ServerIdentity {
  /** Changes with each start of the process, and each time it becomes master. */
  readonly run: string;
  /** Changes only when the process starts, whether it is master or replica. */
  readonly process: string;
  /** The server's id of this connection; 0 if an ACL hides it. */
  readonly connection: number;
  /** The server's `maxmemory-policy`; undefined if it never evicts keys. */
  readonly eviction: string | undefined;
}

export interface HandshakeOptions {
  readonly role: ServerRole;
  readonly scripts: readonly Script[];
  /** In the form that the server runs. */
  readonly text: (script: Script) => ScriptText;
  readonly publish: (client: Redis, channel: string, text: string) => Promise<unknown>;
  /** Takes an answer to TIME, and gives the time. */
  readonly learn: (time: readonly (string | number)[]) => number;
  /** Watches over a step until it is answered. */
  readonly watch: <Reply>(step: Promise<Reply>) => Promise<Reply>;
  /** Keys and channels of all kinds that pods use at the server; the first key is this pod's alone. */
  readonly samples: Names;
  /** The keys and channels that the server refused last. */
  readonly refused: Names;
  /** The server of the connection before this one, whose last commands may still arrive. */
  readonly previous: ServerIdentity | undefined;
}

/** Identifies the server and proves that it can be used. Raises what Redis answers otherwise. */
export async function handshake(client: Redis, options: HandshakeOptions): Promise<ServerIdentity> {
  const { role, scripts, text, learn, watch, previous } = options;
  const [info, now, connection] = await watch(
    Promise.all([
      client.info('server', 'replication', 'memory'),
      client.time().then(learn),
      // Not every ACL permits it.
      client.client('ID').catch(() => 0),
      ...scripts.map((script) => client.script('LOAD', text(script).lua)),
    ]),
  );
  const process = wordIn(info, 'run_id');
  const run = runOf(process, wordIn(info, 'master_replid'));
  requireVersion(info);
  // First: it names every missing right, while `prove` would fail with the first one.
  await watch(proveRights({ ...options, client }));
  await watch(role.prove(client, run, now, previous?.run ?? ''));
  const server = { run, process, connection, eviction: evictionOf(info) };
  await watch(killPrevious(client, server, previous));
  return server;
}

/** A command still in flight on the previous connection must not arrive after the pod has sent it again. */
async function killPrevious(
  client: Redis,
  { process, connection }: ServerIdentity,
  previous: ServerIdentity | undefined,
): Promise<void> {
  if (previous?.process !== process || previous.connection === connection) return;
  // If an ACL forbids it, append.lua still rejects what is late by the clock.
  await client.client('KILL', 'ID', previous.connection).catch(ignored);
}

/**
 * A process that becomes master again keeps its `run_id` and may lack what another master took meanwhile; its
 * `master_replid` changes each time.
 */
function runOf(process: string, replication: string): string {
  return createHash('sha256').update(`${process} ${replication}`).digest('hex').slice(0, RUN_LENGTH);
}

/** Without a memory limit Redis never evicts. */
function evictionOf(info: string): string | undefined {
  const policy = wordIn(info, 'maxmemory_policy');
  return Number(wordIn(info, 'maxmemory')) > 0 && policy !== 'noeviction' ? policy : undefined;
}

function wordIn(info: string, name: string): string {
  return new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1] ?? '';
}

/** Older versions neither distinguish errors of scripts nor fence them (docs/platform/redis.md). */
function requireVersion(info: string): void {
  const version = wordIn(info, 'redis_version');
  if (Number.parseInt(version, 10) < LEAST_VERSION) {
    throw new Error(`Redis ${LEAST_VERSION} or newer is needed, this is ${version}`);
  }
}
