import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { adopt, stop } from './children.ts';
import type { Contender } from './contenders.ts';
import { freePort } from '../ports.ts';
import { startTraceSink } from './trace-sink.ts';

const READY_TIMEOUT_MS = 20_000;
const POLL_MS = 2;

export interface RunningServer {
  readonly pid: number;
  readonly port: number;
  /** From spawn to the first 200 of the readiness probe, in milliseconds. */
  readonly readyMs: number;
  /** Sends SIGTERM and waits for the end; resolves with the exit code, null where it had to be killed. */
  stop(timeoutMs?: number): Promise<number | null>;
}

/** Starts a contender in a process of its own and waits until it is ready. */
export async function startServer(contender: Contender): Promise<RunningServer> {
  const [port, opsPort] = [await freePort(), await freePort()];
  const sink = contender.traced === true ? await startTraceSink() : undefined;
  const traces = sink === undefined ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url };
  const started = performance.now();
  const { script, isProgram = false, nodeFlags, translate = (env) => env } = contender;
  const address = { HOST: '127.0.0.1', PORT: String(port), OPS_PORT: String(opsPort) };
  const [program, args] = isProgram ? [script, []] : [process.execPath, [...nodeFlags, script]];
  const child = adopt(
    spawn(program, args, {
      // Not this process's environment: a setting of the shell must not change what is measured.
      env: translate({ ...address, ...traces, ...contender.env }),
      // Nor its folder, where Crosspod would find a .env.
      cwd: tmpdir(),
      // What a server says is for people; standard output is for the tables.
      stdio: ['ignore', process.stderr.fd, 'inherit'],
    }),
  );
  const { hasOpsPort = false, readyPath = '/readyz' } = contender;
  const probe = `http://127.0.0.1:${hasOpsPort ? opsPort : port}${readyPath}`;
  while (!(await answers(probe))) {
    if (child.exitCode !== null) throw new Error(`${contender.script} exited with ${child.exitCode}`);
    if (performance.now() - started > READY_TIMEOUT_MS) throw new Error(`${contender.script} is not ready`);
    await sleep(POLL_MS);
  }
  const readyMs = performance.now() - started;
  return {
    pid: child.pid ?? 0,
    port,
    readyMs,
    async stop(timeoutMs) {
      const exitCode = await stop(child, timeoutMs);
      sink?.close();
      return exitCode;
    },
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false;
  }
}
