import { createReadStream } from 'node:fs';

/** The most that Kubernetes stores in a ConfigMap. */
const MOST_BYTES = 1_048_576;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'the file does not exist',
  ENOTDIR: 'the file does not exist',
  EACCES: 'this process may not read the file',
  EISDIR: 'this is a folder; name the file in it',
};

/** The text of a file, or why there is none. */
export type RulesText =
  | { readonly text: string; readonly why?: undefined }
  | { readonly text?: undefined; readonly why: string };

/** Reads a file of at most 1 MiB. Never rejects. */
export function readRulesText(path: string): Promise<RulesText> {
  return readRulesStream(createReadStream(path));
}

/** Reads at most 1 MiB. Never rejects. */
export async function readRulesStream(stream: AsyncIterable<Uint8Array>): Promise<RulesText> {
  try {
    const bytes = await readBytes(stream);
    if (bytes === undefined) return { why: `the file is larger than ${MOST_BYTES} bytes` };
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (error) {
    if (error instanceof TypeError) return { why: 'the file is not UTF-8' };
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    return { why: REASONS[code] ?? `the file cannot be read (${code || String(error)})` };
  }
}

/** Undefined if there are more bytes than allowed. Reads no further, whatever size the file claims to have. */
async function readBytes(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let total = 0;
  for await (const part of stream) {
    parts.push(part);
    total += part.length;
    if (total > MOST_BYTES) return undefined;
  }
  return Buffer.concat(parts);
}
