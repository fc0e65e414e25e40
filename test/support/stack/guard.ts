import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const GUARDIAN = fileURLToPath(new URL('guardian.ts', import.meta.url));

/** What must not outlive this process: a child's process id, or a temporary folder. */
export type Guarded = `process ${number}` | `folder ${string}`;

let guardian: Writable | undefined;

/**
 * From now on the child or the folder goes when this process goes, however it ends. A process that is killed runs no
 * handler of its own, so another one (guardian.ts) holds the end of a pipe that closes with this one.
 */
export function guard(what: Guarded): void {
  tell(`+${what}`);
}

/** It went by itself: its process id may be somebody else's from now on. */
export function unguard(what: Guarded): void {
  tell(`-${what}`);
}

function tell(line: string): void {
  guardian ??= startGuardian();
  guardian.write(`${line}\n`);
}

function startGuardian(): Writable {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', GUARDIAN], {
    // A session of its own: Ctrl-C in the terminal reaches everybody else first.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.unref();
  const { stdin } = child;
  // It does not keep this process alive.
  (stdin as Writable & { unref(): void }).unref();
  return stdin;
}
