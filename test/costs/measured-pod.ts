import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Costs } from './counters.ts';
import { freePort } from '../support/ports.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const COUNTERS = fileURLToPath(new URL('counters.ts', import.meta.url));

/** So much fits into the young generation that a measurement needs no collection; a run of a test stays far below. */
const SEMI_SPACE_MB = 256;

/** A pod as `npm start` runs it, whose process counts what it allocates. */
export class MeasuredPod {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.#child = child;
  }

  /** Starts a pod with these settings (none of the shell's) and waits until it is ready. */
  static async start(env: Readonly<Record<string, string>> = {}, main = 'src/main.ts'): Promise<MeasuredPod> {
    const [port, opsPort] = [await freePort(), await freePort()];
    const flags = [`--max-semi-space-size=${SEMI_SPACE_MB}`, `--min-semi-space-size=${SEMI_SPACE_MB}`];
    const child = spawn(process.execPath, [...flags, '--import', COUNTERS, main], {
      cwd: ROOT,
      env: {
        PATH: process.env['PATH'],
        PORT: String(port),
        OPS_PORT: String(opsPort),
        MESSAGES_PER_SECOND: '0',
        HANDSHAKES_PER_SECOND: '100000',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    let output = '';
    child.stderr?.on('data', (data: Buffer) => (output += data.toString()));
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    const isReady = new Promise<void>((resolve, reject) => {
      lines.on('line', (line) => {
        output += `${line}\n`;
        if (/"msg":"ready"/.test(line)) resolve();
      });
      child.once('exit', (code) => reject(new Error(`the pod ended with ${code}:\n${output}`)));
    });
    await isReady;
    return new MeasuredPod(port, child);
  }

  /** What the process allocates during `work`, divided by `count`. `work` runs twice: for bytes, then for objects. */
  async costs(count: number, work: () => Promise<void>): Promise<Omit<Costs, 'collections'>> {
    await this.#ask('begin bytes');
    await work();
    const { bytes, collections } = (await this.#ask('end')) as Costs;
    if (collections > 0) throw new Error(`garbage was collected ${collections} times: count fewer at once`);
    await this.#ask('begin objects');
    await work();
    const { promises, timers } = (await this.#ask('end')) as Costs;
    return { bytes: bytes / count, promises: promises / count, timers: timers / count };
  }

  async #ask(order: string): Promise<unknown> {
    const answer = once(this.#child, 'message');
    this.#child.send(order);
    const [message] = (await answer) as [unknown];
    return message;
  }

  async stop(): Promise<void> {
    this.#child.removeAllListeners('exit');
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}
