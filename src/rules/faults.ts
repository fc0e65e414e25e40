/** What is wrong with a file of rules, and where: lines count from 1; undefined concerns the file as a whole. */
export interface Fault {
  readonly line: number | undefined;
  readonly text: string;
}

/** The longest part of a wrong value that a fault repeats. */
const SHOWN = 60;
/** So many faults are told; more of them would help nobody, and the log has a line of them. */
const TOLD = 200;

/** One line of text for each fault, in the order of the file. */
export function linesOf(faults: readonly Fault[], path: string): string[] {
  const lines = [...faults]
    .sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
    .map(({ line, text }) => (line === undefined ? `${path}: ${text}` : `${path}, line ${line}: ${text}`));
  const unique = [...new Set(lines)];
  const more = unique.length - TOLD;
  return more > 0 ? [...unique.slice(0, TOLD), `${path}: ${more} more faults`] : unique;
}

/** A wrong value as the operator wrote it, cut if it is long. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}
