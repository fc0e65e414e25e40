import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findOnPath, isExecutable } from '../../scripts/requirements.ts';

export const SCRIPTS = join(import.meta.dirname, '../../loadtest/k6');

export const HOW_TO_GET_K6 =
  'k6 is missing: the load scripts were type-checked, but NOT run. ' +
  'Install k6 2 (https://grafana.com/docs/k6/latest/set-up/install-k6/) so that it is on the PATH, ' +
  'or set K6_PATH to its path, and run this test again: npx vitest run test/load';

/** The path of k6; undefined where there is none. No package of Debian or npm brings it, so it is not required. */
export function findK6(): string | undefined {
  const given = process.env['K6_PATH'];
  if (given === undefined || given === '') return findOnPath(['k6']);
  if (isExecutable(given)) return given;
  throw new Error(`K6_PATH is ${given}, which is not a program that can be run`);
}

/** What `SUMMARY` holds. */
export interface Summary {
  readonly passed: boolean;
  readonly failed: readonly string[];
  readonly metrics: Readonly<Record<string, { readonly values: Readonly<Record<string, number>> }>>;
}

export interface Run {
  readonly code: number;
  /** Standard output and standard error. */
  readonly output: string;
  /** Undefined where the script did not get so far. */
  readonly summary: Summary | undefined;
}

/** Runs a script with these settings, and none of this process. */
export function runScript(k6: string, script: string, env: Readonly<Record<string, string>>): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'crosspod-k6-'));
  const file = join(folder, 'summary.json');
  const args = ['run', '--quiet', '--no-usage-report', '--no-color', '--address', '', join(SCRIPTS, script)];
  const options = { env: { PATH: process.env['PATH'], HOME: folder, SUMMARY: file, ...env } };
  return new Promise((resolve) => {
    const child = execFile(k6, args, options, (_, stdout, stderr) => {
      const summary = readSummary(file);
      rmSync(folder, { recursive: true, force: true });
      resolve({ code: child.exitCode ?? -1, output: stdout + stderr, summary });
    });
  });
}

function readSummary(file: string): Summary | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Summary;
  } catch {
    return undefined;
  }
}

/** How often something was counted. */
export function countOf({ summary, output }: Run, metric: string): number {
  const count = summary?.metrics[metric]?.values['count'];
  if (count === undefined) throw new Error(`${metric} was not counted:\n${output}`);
  return count;
}

/** The thresholds that did not hold; then the output is shown as well. */
export function failuresOf({ summary, output }: Run): readonly string[] {
  if (summary?.passed !== true) console.log(output);
  return summary?.failed ?? ['the script did not get to its end'];
}
