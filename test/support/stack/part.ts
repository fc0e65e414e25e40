import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { guard, unguard } from './guard.ts';

const START_DEADLINE_MS = 20_000;
const POLL_MS = 20;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A program and what it is started with; it sees only the environment given here, and PATH. */
export interface CommandLine {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export type PartState = 'running' | 'frozen' | 'ended';

/**
 * A process of the stack that can be broken in every way and started again: the same program, the same ports, the
 * same folder. It never outlives this process.
 */
export abstract class Part {
  /** How the prompt and error messages call it: `pod-1`, `redis-2`, … */
  readonly name: string;
  /** Its configuration, its data and its log; gone with this process, or with `discard`. */
  readonly folder: string;
  #child: ChildProcess | undefined;
  #exited: Promise<Exit> = Promise.resolve({ code: null, signal: null });
  #frozen = false;

  constructor(name: string) {
    this.name = name;
    this.folder = mkdtempSync(join(tmpdir(), `crosspod-${name}-`));
    guard(`folder ${this.folder}`);
  }

  protected abstract commandLine(): CommandLine;
  /** Whether it does its work now. Asked again and again, so it must answer soon, whatever happens. */
  protected abstract isReady(): Promise<boolean>;

  get state(): PartState {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return 'ended';
    return this.#frozen ? 'frozen' : 'running';
  }

  get pid(): number | undefined {
    return this.state === 'ended' ? undefined : this.#child?.pid;
  }

  /**
   * Starts it, also again, and waits until it is ready. Throws with its output when it ends first or is not ready
   * within 20 s.
   */
  async start(): Promise<void> {
    this.launch();
    if (await this.becomesReady()) return;
    const hasEnded = this.state === 'ended';
    const { code, signal } = await this.kill();
    const how = hasEnded
      ? `ended with ${code ?? signal} before it was ready`
      : `was not ready within ${START_DEADLINE_MS} ms`;
    throw new Error(`the ${this.name} ${how}:\n${this.output()}`);
  }

  /** Starts it, also again, and does not wait. */
  launch(): void {
    if (this.state !== 'ended') throw new Error(`${this.name} is running already`);
    const { program, args, env } = this.commandLine();
    const log = openSync(this.log, 'a');
    const child = spawn(program, args, {
      cwd: this.folder,
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#observe(child);
  }

  /** Waits until it is ready: true. False where it ends first, or is not within the time. */
  async becomesReady(timeoutMs = START_DEADLINE_MS): Promise<boolean> {
    const deadline = Date.now() + timeoutMs;
    while (this.state !== 'ended' && Date.now() < deadline) {
      if (await this.isReady()) return true;
      await sleep(POLL_MS);
    }
    return false;
  }

  /** SIGKILL: the process gets no chance to say goodbye. */
  kill(): Promise<Exit> {
    return this.#end('SIGKILL');
  }

  /** Sends the signal (SIGTERM) and waits for the end of the process. One that is frozen goes on to receive it. */
  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    const ending = this.#end(signal);
    if (this.state === 'frozen') this.thaw();
    return ending;
  }

  /** SIGSTOP: its connections stay open and it does nothing any more. */
  freeze(): void {
    this.signal('SIGSTOP');
    this.#frozen = true;
  }

  /** SIGCONT: it goes on where it was. */
  thaw(): void {
    this.signal('SIGCONT');
    this.#frozen = false;
  }

  /** Where its output goes. */
  get log(): string {
    return join(this.folder, 'output.log');
  }

  /** Everything it wrote since it was first started, stdout and stderr. */
  output(): string {
    return existsSync(this.log) ? readFileSync(this.log, 'utf8') : '';
  }

  /** Kills it and removes its folder; it cannot be started again. */
  async discard(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
    unguard(`folder ${this.folder}`);
  }

  #observe(child: ChildProcess): void {
    this.#child = child;
    this.#frozen = false;
    const { pid } = child;
    if (pid !== undefined) guard(`process ${pid}`);
    this.#exited = new Promise<Exit>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        if (pid !== undefined) unguard(`process ${pid}`);
        resolve({ code, signal });
      });
    });
    // Whoever starts or ends it is told; nobody else asked.
    this.#exited.catch(() => undefined);
  }

  #end(signal: NodeJS.Signals): Promise<Exit> {
    this.#child?.kill(signal);
    return this.#exited;
  }

  /** Sends the signal to a process that is to go on. */
  signal(signal: NodeJS.Signals): void {
    if (this.state === 'ended') throw new Error(`${this.name} is not running`);
    this.#child?.kill(signal);
  }
}
