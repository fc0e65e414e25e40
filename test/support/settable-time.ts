import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { requireProgram } from '../../scripts/requirements.ts';
import { tmpdir } from 'node:os';

const SOURCE = fileURLToPath(new URL('settable-time.c', import.meta.url));

/**
 * A time of its own for a program that is not ours, such as redis-server, while it runs. (libfaketime cannot be used:
 * it calls itself without end where jemalloc is.)
 */
export class SettableTime {
  readonly #folder = mkdtempSync(join(tmpdir(), 'crosspod-time-'));
  readonly #library = join(this.#folder, 'settable-time.so');
  readonly #file: number;

  constructor() {
    this.#file = openSync(this.#ahead, 'w+');
    this.set(0);
    execFileSync(requireProgram('gcc'), ['-shared', '-fPIC', '-O1', '-o', this.#library, SOURCE]);
  }

  /** What the program is started with. */
  get env(): Record<string, string> {
    return { LD_PRELOAD: this.#library, SETTABLE_TIME: this.#ahead };
  }

  /** From now on its time is so far ahead of the machine's. */
  set(aheadMs: number): void {
    writeSync(this.#file, new BigInt64Array([BigInt(Math.round(aheadMs))]), 0, 8, 0);
  }

  discard(): void {
    closeSync(this.#file);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #ahead(): string {
    return join(this.#folder, 'ahead');
  }
}
