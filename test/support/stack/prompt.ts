import { createInterface } from 'node:readline';
import { perform } from './commands.ts';
import type { Stack } from './stack.ts';

/** Does what is typed, or piped, line by line, until `quit`, Ctrl-C or the end of the input. */
export async function runPrompt(stack: Stack): Promise<void> {
  const { stdin, stdout } = process;
  const isForPeople = stdin.isTTY && stdout.isTTY;
  // Where nobody types, the output holds only what commands print.
  const lines = createInterface({ input: stdin, ...(isForPeople ? { output: stdout } : {}), prompt: '> ' });
  // In a terminal Ctrl-C comes as a key, not as a signal.
  lines.on('SIGINT', () => lines.close());
  if (isForPeople) lines.prompt();
  for await (const line of lines) {
    if (line.trim() === 'quit') break;
    const text = await perform(stack, line).catch((error: Error) => error.message);
    if (text !== '') console.log(text);
    if (isForPeople) lines.prompt();
  }
  lines.close();
}
