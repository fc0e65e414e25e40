import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * User and system time a process has used so far, in microseconds: the first field of schedstat (nanoseconds on a
 * CPU) over all threads, because /proc/PID/stat counts in steps of 10 ms.
 */
export function cpuMicros(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const [onCpu] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'ascii').split(' ');
    nanoseconds += Number(onCpu);
  }
  return nanoseconds / 1000;
}

/** Resident memory of a process, in bytes. */
export function residentBytes(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'ascii'));
  return Number(found?.[1]) * 1024;
}

const SAMPLE_MS = 500;
const STILL_SAMPLES = 6;
const STILL_BYTES = 256 * 1024;

/** Resident memory once it has stayed within 256 KiB for 3 s, in bytes; as it is when it never does in time. */
export async function settledBytes(pid: number, timeoutMs: number): Promise<number> {
  const samples = [residentBytes(pid)];
  for (const end = performance.now() + timeoutMs; performance.now() < end;) {
    await sleep(SAMPLE_MS);
    samples.push(residentBytes(pid));
    const last = samples.slice(-STILL_SAMPLES);
    if (last.length === STILL_SAMPLES && Math.max(...last) - Math.min(...last) < STILL_BYTES) break;
  }
  return samples.at(-1) ?? 0;
}

/** Bytes a process has read so far, from files and sockets alike. */
export function bytesRead(pid: number): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'ascii'))?.[1]);
}
