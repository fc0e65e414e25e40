import { readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';

// Part of the bundle. Stacks name the sources, as with --enable-source-maps, but a map is read when the first stack that
// needs it is formatted: Node's flag reads all maps at the start, which takes 40 ms and 15 MB.

const BUNDLE = new URL('./', import.meta.url).href;
const maps = new Map<string, SourceMap | undefined>();

Error.prepareStackTrace = (error, frames) =>
  [Error.prototype.toString.call(error), ...frames.map(inSource)].join('\n    at ');

function inSource(frame: NodeJS.CallSite): string {
  const text = (frame as { toString(): string }).toString();
  const file = frame.getFileName();
  const line = frame.getLineNumber();
  const column = frame.getColumnNumber();
  if (!file?.startsWith(BUNDLE) || line === null || column === null) return text;
  const origin = mapOf(file)?.findOrigin(line, column);
  if (origin === undefined || !('fileName' in origin)) return text;
  const source = new URL(origin.fileName, file);
  return text.replace(
    `${file}:${line}:${column}`,
    `${source.href}:${origin.lineNumber}:${origin.columnNumber}`,
  );
}

/** Undefined if the file has no map: an error while a stack is formatted would take the place of the error itself. */
function mapOf(file: string): SourceMap | undefined {
  if (!maps.has(file)) maps.set(file, readMap(file));
  return maps.get(file);
}

function readMap(file: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(new URL(`${file}.map`), 'utf8')) as SourceMapPayload);
  } catch {
    return undefined;
  }
}
