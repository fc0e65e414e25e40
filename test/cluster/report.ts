import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** Where the files of tests, which may be several processes, write down what they saw. */
const VARIABLE = 'CROSSPOD_CLUSTER_REPORT';

export function beginReport(file: string): void {
  process.env[VARIABLE] = file;
}

/** One row of the table that is printed at the end. */
export function saw(what: string, figure: string | number): void {
  appendFileSync(process.env[VARIABLE] ?? '', `${JSON.stringify([what, String(figure)])}\n`);
}

/** What was seen so far, as a table in Markdown. */
export function reported(): string {
  const file = process.env[VARIABLE] ?? '';
  if (!existsSync(file)) return 'nothing was seen';
  const rows = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as [string, string]);
  return ['| What | Seen |', '| --- | --- |', ...rows.map((row) => `| ${row.join(' | ')} |`)].join('\n');
}

/** `12.3 s` since then. */
export function secondsSince(start: number): string {
  return `${((performance.now() - start) / 1_000).toFixed(1)} s`;
}
