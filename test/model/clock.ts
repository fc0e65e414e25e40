import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import type { PodProcess } from '../support/stack/pods.ts';

/** In the folder of the pod: by how many ms its clock is wrong. */
const FILE = 'clock-offset';
const PROGRAM = fileURLToPath(new URL('stepped-clock.ts', import.meta.url));

/** What a pod needs so that its clock can be set. */
export const CLOCK_ENV = { NODE_OPTIONS: `--import=${PROGRAM}`, CLOCK_FILE: FILE } as const;

/** Sets the clock of a pod, also for when it is started again; 0 sets it right. It follows within some 50 ms. */
export function stepClock({ folder }: PodProcess, ms: number): void {
  writeFileSync(join(folder, FILE), String(ms));
}
