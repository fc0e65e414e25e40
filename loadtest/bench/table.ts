import type { Measure } from './measure.ts';

/** The result of a case: a table to read, and the figures behind it for `--json`. */
export interface CaseResult {
  readonly name: string;
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly figures: unknown;
  /** What can be compared with an earlier build or with a target. */
  readonly measures?: readonly Measure[];
}

/** The result as a Markdown table, its columns aligned. */
export function renderTable(result: CaseResult): string {
  const lines = [result.header, ...result.rows];
  const widths = result.header.map((_, column) =>
    Math.max(...lines.map((row) => row[column]?.length ?? 0), 3),
  );
  const render = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => pad(row[column] ?? '', width, column)).join(' | ')} |`;
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  const [header, ...rows] = lines.map(render);
  return [`### ${result.title}`, '', header, `| ${rule.join(' | ')} |`, ...rows, ''].join('\n');
}

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}
