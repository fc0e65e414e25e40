import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { freePort } from './ports.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const START_DEADLINE_MS = 20_000;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A Crosspod process of its own, as `npm start` runs it. */
export interface Pod {
  readonly url: string;
  readonly wsUrl: string;
  readonly opsUrl: string;
  /** What to give `startPod` so that the next pod listens where this one did. */
  readonly ports: { readonly PORT: string; readonly OPS_PORT: string };
  /** Sends the signal (SIGTERM) and waits for the end of the process. */
  stop(signal?: NodeJS.Signals): Promise<Exit>;
  /** SIGKILL: the process gets no chance to say goodbye. */
  kill(): Promise<Exit>;
  /** Everything it wrote so far, stdout and stderr. */
  output(): string;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * Starts a pod and waits until it is ready. It sees only the settings given here, neither those of the shell nor a
 * `.env` of the repository; ports that are not given are chosen, and messages are not limited unless a test asks. Throws with the pod's output when it ends first or
 * is not ready within 20 s.
 */
export async function startPod(env: Readonly<Record<string, string>> = {}): Promise<Pod> {
  const ports = {
    PORT: env['PORT'] ?? String(await freePort()),
    OPS_PORT: env['OPS_PORT'] ?? String(await freePort()),
  };
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN], {
    cwd: import.meta.dirname,
    env: { PATH: process.env['PATH'], LOG_FORMAT: 'json', MESSAGES_PER_SECOND: '0', ...env, ...ports },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const pod = observe(child, ports);
  await untilReady(child, pod);
  return pod;
}

function observe(child: ChildProcess, ports: Pod['ports']): Pod {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (text += String(chunk)));
  running.add(child);
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      running.delete(child);
      resolve({ code, signal });
    });
  });
  const end = (signal: NodeJS.Signals): Promise<Exit> => {
    child.kill(signal);
    return exited;
  };
  return {
    url: `http://127.0.0.1:${ports.PORT}`,
    wsUrl: `ws://127.0.0.1:${ports.PORT}`,
    opsUrl: `http://127.0.0.1:${ports.OPS_PORT}`,
    ports,
    stop: (signal = 'SIGTERM') => end(signal),
    kill: () => end('SIGKILL'),
    output: () => text,
  };
}

async function untilReady(child: ChildProcess, pod: Pod): Promise<void> {
  const deadline = Date.now() + START_DEADLINE_MS;
  while (child.exitCode === null && child.signalCode === null) {
    const ready = await fetch(`${pod.opsUrl}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (ready) return;
    if (Date.now() > deadline) {
      await pod.kill();
      throw new Error(`the pod was not ready within ${START_DEADLINE_MS} ms:\n${pod.output()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await pod.stop();
  throw new Error(
    `the pod ended with ${child.exitCode ?? child.signalCode} before it was ready:\n${pod.output()}`,
  );
}
