import { readFileSync } from 'node:fs';

/** Subjects that a user may use. */
export interface Rights {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** Those that docs/operations.md says a pod needs, from its table. */
export function documentedRights(): Rights {
  const [, text = ''] = readFileSync('docs/operations.md', 'utf8').split(
    '**Rights** of a user, for `NATS_PREFIX`',
  );
  const rows = text.slice(0, text.indexOf('\n\n**')).matchAll(/^\| (publish|subscribe) \|(.*?)\|(.*?)\|/gm);
  const rights: { publish: string[]; subscribe: string[] } = { publish: [], subscribe: [] };
  for (const [, kind, subjects = '', streams = ''] of rows) {
    const names = quoted(streams);
    const all = quoted(subjects).flatMap((subject) =>
      subject.includes('<stream>') ? names.map((name) => subject.replace('<stream>', name)) : subject,
    );
    rights[kind as keyof Rights].push(...all);
  }
  return rights;
}

function quoted(cell: string): string[] {
  return Array.from(cell.matchAll(/`([^`]+)`/g), ([, text = '']) => text);
}
