import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const PROGRAM = fileURLToPath(new URL('program.ts', import.meta.url));
const RECORDER = new URL('record-modules.ts', import.meta.url).href;

export interface Line {
  readonly [field: string]: unknown;
  readonly msg: string;
}

/** Runs program.ts to its end and gives its log lines; fails where it fails. */
export function runProgram(env: Readonly<Record<string, string>>): Promise<Line[]> {
  const options = { env: { PATH: process.env['PATH'], ...env }, timeout: 20_000 };
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', PROGRAM],
      options,
      (error, stdout) => {
        if (error !== null) reject(error);
        else
          resolve(
            stdout
              .trim()
              .split('\n')
              .map((line) => JSON.parse(line) as Line),
          );
      },
    );
  });
}

/** What to give a process in its environment so that it writes down the modules it loads, and what it wrote. */
export function recordModules(): { env: Record<string, string>; modules: () => string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'modules-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'modules');
  return {
    env: { MODULES_FILE: file, NODE_OPTIONS: `--import=${RECORDER}` },
    modules: () => readFileSync(file, 'utf8').trim().split('\n'),
  };
}
