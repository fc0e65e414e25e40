import type { ChildProcess } from 'node:child_process';

const running = new Set<ChildProcess>();

/** Remembers a child, so that it does not outlive the benchmark, however that ends. */
export function adopt<C extends ChildProcess>(child: C): C {
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** Sends SIGTERM, after `timeoutMs` SIGKILL, and waits for the end of the child; resolves with its exit code. */
export async function stop(child: ChildProcess, timeoutMs = 5000): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const timeout = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  child.kill('SIGTERM');
  await exited;
  clearTimeout(timeout);
  return child.exitCode;
}

/** Kills what is left when this process ends, also by SIGINT or SIGTERM. */
export function leaveNobodyBehind(): void {
  process.on('exit', () => {
    for (const child of running) child.kill('SIGKILL');
  });
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
}
