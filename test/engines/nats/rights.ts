import { readFileSync } from 'node:fs';

/** Subjects that a user may use. */
export interface Rights {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** The rights that a pod needs, from the table in docs/platform/nats.md. */
export function documentedRights(): Rights {
  const [, text = ''] = readFileSync('docs/platform/nats.md', 'utf8').split('\n## Rights\n');
  const rows = text
    .slice(0, text.indexOf('\n\n**Accounts**'))
    .matchAll(/^\| (publish|subscribe) \|(.*?)\|(.*?)\|/gm);
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
