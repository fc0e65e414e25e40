import { fileURLToPath } from 'node:url';
import { freePort } from '../../../loadtest/ports.ts';
import { answersOk } from './http.ts';
import { type CommandLine, Part } from './part.ts';

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));

/** Where a pod listens, as settings. */
export type PodPorts = { readonly PORT: string; readonly OPS_PORT: string };

/** A Crosspod process of its own, as `npm start` runs it. */
export class PodProcess extends Part {
  readonly url: string;
  readonly wsUrl: string;
  readonly opsUrl: string;
  readonly ports: PodPorts;
  readonly #env: Readonly<Record<string, string>>;
  readonly #main: string;

  /** `main`: the `src/main.ts` of another release. */
  constructor(name: string, ports: PodPorts, env: Readonly<Record<string, string>>, main = MAIN) {
    super(name);
    this.#main = main;
    this.url = `http://127.0.0.1:${ports.PORT}`;
    this.wsUrl = `ws://127.0.0.1:${ports.PORT}`;
    this.opsUrl = `http://127.0.0.1:${ports.OPS_PORT}`;
    this.ports = ports;
    this.#env = {
      LOG_FORMAT: 'json',
      MESSAGES_PER_SECOND: '0',
      DRAIN_WINDOW_SECONDS: '0',
      START_WAIT_SECONDS: '2',
      ...env,
      ...ports,
    };
  }

  protected commandLine(): CommandLine {
    const args = ['--max-semi-space-size=8', '--disable-warning=ExperimentalWarning', this.#main];
    return { program: process.execPath, args, env: this.#env };
  }

  protected isReady(): Promise<boolean> {
    return answersOk(`${this.opsUrl}/readyz`);
  }
}

/**
 * Starts a pod and waits until it is ready. It sees only the settings given here, neither those of the shell nor a
 * `.env` of the repository; ports that are not given are chosen. Unless asked otherwise messages are not limited, and a
 * pod that cannot reach its Redis or NATS serves after two seconds. Throws with the pod's output when it ends first or
 * is not ready within 20 s.
 */
export async function startPodProcess(
  name: string,
  env: Readonly<Record<string, string>>,
  main?: string,
): Promise<PodProcess> {
  const ports = {
    PORT: env['PORT'] ?? String(await freePort()),
    OPS_PORT: env['OPS_PORT'] ?? String(await freePort()),
  };
  const pod = new PodProcess(name, ports, env, main);
  await pod.start();
  return pod;
}
