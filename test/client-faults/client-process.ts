import { fileURLToPath } from 'node:url';
import { type CommandLine, Part } from '../support/stack/part.ts';
import { eventually } from '../faults/world.ts';
import type { Stopped } from './client-program.ts';
import { type Note, Notes } from './notes.ts';

const PROGRAM = fileURLToPath(new URL('client-program.ts', import.meta.url));

/** A client that can be frozen, with all that its application saw. It is ready when it has heard itself. */
export class ClientProcess extends Part {
  readonly #args: readonly [url: string, name: string, room: string];

  constructor(url: string, name: string, room: string) {
    super(name);
    this.#args = [url, name, room];
  }

  /** As far as it has printed them. */
  get notes(): Notes {
    const notes = new Notes(this.name);
    for (const line of this.#lines()) if (!('stopped' in line)) notes.take(line);
    return notes;
  }

  /** It says nothing more; resolves when all that it said was answered. */
  async hush(): Promise<void> {
    if (this.pid !== undefined) process.kill(this.pid, 'SIGUSR2');
    const isSilent = (): boolean => this.#lines().some((line) => 'stopped' in line);
    await eventually(`the answers to ${this.name}`, () => isSilent() && this.notes.waiting === 0);
  }

  protected commandLine(): CommandLine {
    const args = ['--disable-warning=ExperimentalWarning', PROGRAM, ...this.#args];
    return { program: process.execPath, args };
  }

  protected async isReady(): Promise<boolean> {
    return this.notes.heard.length > 0;
  }

  /** The last one may be half written. */
  #lines(): (Note | Stopped)[] {
    const lines = this.output().split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Note | Stopped);
  }
}
