import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

/** A program that somebody sits in front of. */
export class Terminal {
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown[]>;
  #printed = '';

  /** It is gone when the test is over, whatever became of it. */
  constructor(script: string, args: readonly string[]) {
    const child = spawn(process.execPath, [script, ...args], { stdio: 'pipe' });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (this.#printed += text));
    onTestFinished(() => void child.kill('SIGKILL'));
    this.#child = child;
    this.#exit = once(child, 'exit');
  }

  /** All that it wrote, line by line. */
  readonly lines = (): string[] => this.#printed.split('\n').slice(0, -1);

  type(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Ctrl-D. */
  endInput(): void {
    this.#child.stdin?.end();
  }

  /** When it has ended: its exit code. */
  async exitCode(): Promise<unknown> {
    const [code] = await this.#exit;
    return code;
  }
}
