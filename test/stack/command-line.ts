import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';

const MAIN = fileURLToPath(new URL('../support/stack/main.ts', import.meta.url));

/** As long as a loaded machine may need. */
const PATIENT = { timeout: 60_000 };

/** `npm run stack`, with somebody who types into its prompt. */
export interface CommandLine {
  type(line: string): void;
  /** Waits until what it printed since the last call matches, up to and with the match, and gives the match. */
  prints(pattern: RegExp): Promise<RegExpExecArray>;
  /** As Ctrl-D does. */
  endInput(): void;
  /** Waits until it has ended: its exit code, or the signal. */
  ended(): Promise<number | NodeJS.Signals>;
  signal(signal: NodeJS.Signals): void;
}

/** Starts the command. Should the test fail, it goes with the test. */
export function startCommandLine(...args: string[]): CommandLine {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...args]);
  onTestFinished(() => void child.kill('SIGKILL'));
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals]>;
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += String(chunk)));
  return {
    type: (line) => child.stdin.write(`${line}\n`),
    endInput: () => child.stdin.end(),
    async prints(pattern) {
      await expect.poll(() => text, PATIENT).toMatch(pattern);
      const match = pattern.exec(text) as RegExpExecArray;
      text = text.slice(match.index + match[0].length);
      return match;
    },
    async ended() {
      const [code, signal] = await closed;
      return code ?? signal;
    },
    signal: (signal) => child.kill(signal),
  };
}
