// A process of its own, started by guard.ts. It reads what to watch over from standard input, and when that ends,
// because the process that started it ended, it ends those processes and removes those folders.
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

const guarded = new Set<string>();

for await (const line of createInterface(process.stdin)) {
  if (line.startsWith('+')) guarded.add(line.slice(1));
  else guarded.delete(line.slice(1));
}

// Processes first, so that nobody writes into a folder that is being removed.
for (const id of ofKind('process')) end(Number(id));
for (const folder of ofKind('folder')) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });

function ofKind(kind: string): string[] {
  return [...guarded]
    .filter((what) => what.startsWith(`${kind} `))
    .map((what) => what.slice(kind.length + 1));
}

function end(id: number): void {
  try {
    process.kill(id, 'SIGKILL');
  } catch {
    // It is gone already, which is what was wanted.
  }
}
