import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { freePort } from '../../../loadtest/ports.ts';
import { guard, unguard } from '../../support/stack/guard.ts';
import { until } from '../../support/stack/until.ts';
import { filesOf, renderRedis } from '../redis.ts';
import { RedisPod } from './pod.ts';

const PATIENCE_MS = 60_000;

/** Shorter than anybody would want in production: tests wait for each of them. */
const HASTE = { downAfterMilliseconds: 2000, failoverTimeoutMilliseconds: 5000, masterPatienceSeconds: 12 };

/** The pods of the chart's StatefulSet as processes of this machine, each with ports of its own on loopback. */
export class RedisPods {
  readonly pods: readonly RedisPod[];
  readonly #folder: string;

  constructor(pods: readonly RedisPod[], folder: string) {
    this.pods = pods;
    this.#folder = folder;
  }

  /** Starts all that is not running and waits until it is settled; if new, until a failover could follow at once. */
  async start(): Promise<RedisPod> {
    const isNew = this.pods.every((pod) => pod.marker === undefined);
    for (const pod of this.pods) this.launch(pod);
    const master = await this.settled();
    if (isNew) await this.#wait('Sentinels that know all replicas', () => this.#couldFailOver());
    return master;
  }

  /** All pods at once, without a goodbye. */
  async killAll(): Promise<void> {
    await Promise.all(this.pods.map((pod) => pod.kill()));
  }

  launch(pod: RedisPod): void {
    for (const container of pod.containers) if (container.state === 'ended') container.launch();
  }

  /** The only pod that says it is the master; undefined where there is none. */
  async master(): Promise<RedisPod | undefined> {
    const roles = await Promise.all(this.pods.map((pod) => pod.role()));
    const masters = this.pods.filter((_, index) => roles[index] === 'master');
    return masters.length === 1 ? masters[0] : undefined;
  }

  /** Waits until all pods that run follow one master, in sync, and all Sentinels that run know it. */
  async settled(): Promise<RedisPod> {
    await this.#wait('a group that is settled', () => this.#isSettled());
    // As the kubelet does every few seconds.
    await Promise.all(this.#running().map((pod) => pod.sentinel.run('health.sh', 'sentinel-live')));
    const master = await this.master();
    if (master === undefined) throw new Error('there was a master a moment ago');
    return master;
  }

  /** Waits for a master other than that. */
  async masterOtherThan(old: RedisPod): Promise<RedisPod> {
    let found: RedisPod | undefined;
    const isOther = async (): Promise<boolean> => {
      found = await this.master();
      return found !== undefined && found !== old;
    };
    await until(`a master other than ${old.redis.name}`, isOther, PATIENCE_MS);
    return found ?? old;
  }

  output(): string {
    return this.pods
      .flatMap((pod) => pod.containers)
      .map((container) => `--- ${container.name} ${container.state}\n${container.output()}`)
      .join('\n');
  }

  async discard(): Promise<void> {
    await Promise.all(this.pods.flatMap((pod) => pod.containers.map((container) => container.discard())));
    rmSync(this.#folder, { recursive: true, force: true });
    unguard(`folder ${this.#folder}`);
  }

  #running(): RedisPod[] {
    return this.pods.filter((pod) => pod.sentinel.state === 'running');
  }

  async #isSettled(): Promise<boolean> {
    const master = await this.master();
    if (master === undefined) return false;
    const others = this.pods.filter((pod) => pod !== master && pod.redis.state === 'running');
    const roles = await Promise.all(others.map((pod) => pod.redis.command('ROLE') as Promise<unknown[]>));
    if (!roles.every((role) => role[2] === master.redis.port && role[3] === 'connected')) return false;
    const views = await Promise.all(this.#running().map((pod) => pod.watched()));
    return views.every((port) => port === master.redis.port);
  }

  async #couldFailOver(): Promise<boolean> {
    const master = await this.master();
    const others = this.pods.filter((pod) => pod !== master);
    const known = await Promise.all(this.pods.map((pod) => knowsReplicas(pod, others)));
    const quorums = await Promise.all(
      this.pods.map((pod) => pod.sentinel.command('SENTINEL', 'CKQUORUM', 'mymaster')),
    );
    return known.every(Boolean) && quorums.every((answer) => String(answer).startsWith('OK'));
  }

  async #wait(what: string, isSo: () => Promise<boolean>): Promise<void> {
    await until(what, isSo, PATIENCE_MS).catch((cause: unknown) => {
      throw new Error(`${String(cause)}\n${this.output()}`, { cause });
    });
  }
}

/** Whether its Sentinel knows of these that they are replicas in sync. */
async function knowsReplicas(pod: RedisPod, others: readonly RedisPod[]): Promise<boolean> {
  const replicas = (await pod.sentinel.command('SENTINEL', 'REPLICAS', 'mymaster')) as string[][];
  const known = replicas.map((fields) => new Map(pairs(fields)));
  return others.every((other) =>
    known.some(
      (fields) =>
        fields.get('port') === String(other.redis.port) &&
        fields.get('flags') === 'slave' &&
        fields.get('master-link-status') === 'ok',
    ),
  );
}

function* pairs(fields: readonly string[]): Generator<[string, string]> {
  for (let at = 0; at + 1 < fields.length; at += 2) yield [fields[at] ?? '', fields[at + 1] ?? ''];
}

interface Values {
  readonly sentinel?: object;
  readonly tls?: object;
}

/**
 * Three pods with the files that the chart renders with these values of `redis`, none of them started yet; gone when
 * the test ends. `tlsFolder` has what the Secret with the certificate would have; `firstPort` is where the first Redis
 * is to be found.
 */
export async function createPods(values: Values = {}, tlsFolder = '', firstPort = 0): Promise<RedisPods> {
  const files = filesOf(await renderRedis({ ...values, sentinel: { ...HASTE, ...values.sentinel } }));
  const folder = mkdtempSync(join(tmpdir(), 'crosspod-redis-pods-'));
  guard(`folder ${folder}`);
  const config = join(folder, 'config');
  mkdirSync(config);
  const peers = (files['peers'] ?? '').trim().split('\n');
  const lines: string[] = [];
  const pods: RedisPod[] = [];
  for (const [ordinal, peer] of peers.entries()) {
    const isGiven = ordinal === 0 && firstPort !== 0;
    const ports = { redis: isGiven ? firstPort : await freePort(), sentinel: await freePort() };
    // The names of the pods' Services, here.
    lines.push([ordinal, '127.0.0.1', ports.redis, ports.sentinel, peer.split(' ')[4]].join(' '));
    pods.push(new RedisPod(ordinal, ports, config, tlsFolder));
  }
  const settings = `${files['settings']}\nBIND=127.0.0.1\nBEGIN_SECONDS=3\n`;
  for (const [name, text] of Object.entries({ ...files, peers: `${lines.join('\n')}\n`, settings }))
    writeFileSync(join(config, name), text, { mode: 0o755 });
  const group = new RedisPods(pods, folder);
  onTestFinished(() => group.discard());
  return group;
}
