import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** The path of a file of rules, which exists until the test ends. */
export async function rulesFile(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'crosspod-rules-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'rooms.yaml');
  await writeFile(path, text);
  return path;
}
