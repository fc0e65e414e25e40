import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { FIRST_RELEASE, mainOf, newestRelease } from './earlier-release.ts';
import { type PodProcess, startPodProcess } from '../support/stack/pods.ts';
import type { Client } from '../support/client.ts';
import { fresh } from '../integration/people.ts';
import { said } from '../many-pods/world.ts';

type Env = Readonly<Record<string, string>>;
export type Release = 'earlier' | 'current';

/** Whether the earlier release is 0.1.0, which cannot do everything (CHANGELOG.md). With a later one more tests run. */
export const isEarlierFirst = newestRelease() === FIRST_RELEASE;

/** The servers through which the pods share what they have. */
export interface Engine {
  readonly env: Env;
  discard(): Promise<void>;
}

/** What both releases are given. */
const SETTINGS: Env = {
  POD_LEASE_SECONDS: '2',
  PRESENCE_GRACE_SECONDS: '3',
  HISTORY_SIZE: '10000',
  PRESENCE_TTL_SECONDS: '6',
  MAX_CONNECTIONS_PER_USER: '3',
};

/** One pod of each release on the same servers, for a whole file. */
export class World<Served extends Engine = Engine> {
  readonly #startEngine: () => Promise<Served>;
  readonly #engineEnv: () => Env;
  #engine: Served | undefined;
  /** By release, its `src/main.ts`. */
  readonly #mains = new Map<string, string>();
  #pods: readonly PodProcess[] = [];

  constructor(startEngine: () => Promise<Served>, envOf: (engine: Served) => Env) {
    this.#startEngine = startEngine;
    this.#engineEnv = () => envOf(this.engine);
  }

  async start(): Promise<void> {
    this.#engine = await this.#startEngine();
    // The earlier release makes all keys and streams, as in an upgrade.
    const earlier = await this.#startPod('earlier', {}, 'earlier-pod');
    this.#pods = [earlier];
    this.#pods = [earlier, await this.#startPod('current', {}, 'current-pod')];
  }

  async stop(): Promise<void> {
    await Promise.all(this.#pods.map((pod) => pod.discard()));
    await this.#engine?.discard();
  }

  get engine(): Served {
    if (this.#engine === undefined) throw new Error('the world has not been started');
    return this.#engine;
  }

  get pods(): readonly PodProcess[] {
    return this.#pods;
  }

  of(release: Release): PodProcess {
    const pod = this.#pods[release === 'earlier' ? 0 : 1];
    if (pod === undefined) throw new Error('the world has not been started');
    return pod;
  }

  /** One more pod, until the test ends. */
  async pod(
    release: Release | typeof FIRST_RELEASE,
    env: Env = {},
    name = `${release}-pod`,
  ): Promise<PodProcess> {
    const pod = await this.#startPod(release, env, name);
    onTestFinished(() => pod.discard());
    return pod;
  }

  /** Publishes a last message in the room from every pod and waits until each of the clients has all of them. */
  async marked(room: string, clients: readonly Client[]): Promise<void> {
    const marker = fresh('marker');
    for (const [n, pod] of this.pods.entries()) {
      await said(pod, room, { event: `${marker}.${n}` });
      for (const client of clients) await client.next({ event: `${marker}.${n}` });
    }
  }

  #startPod(release: Release | typeof FIRST_RELEASE, env: Env, name: string): Promise<PodProcess> {
    const main = release === 'current' ? undefined : this.#mainOf(release);
    return startPodProcess(name, { ...SETTINGS, ...this.#engineEnv(), ...env }, main);
  }

  #mainOf(release: 'earlier' | typeof FIRST_RELEASE): string {
    const name = release === 'earlier' ? newestRelease() : release;
    const main = this.#mains.get(name) ?? mainOf(name);
    this.#mains.set(name, main);
    return main;
  }
}

/** Starts before the first test of the file and stops after the last. `envOf`: settings of every pod. */
export function aWorld<Served extends Engine>(
  startEngine: () => Promise<Served>,
  envOf: (engine: Served) => Env = ({ env }) => env,
): World<Served> {
  const world = new World(startEngine, envOf);
  beforeAll(() => world.start());
  afterAll(() => world.stop());
  return world;
}
