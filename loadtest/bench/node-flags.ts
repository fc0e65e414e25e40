import { readFileSync } from 'node:fs';

interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
}

/** The flags with which `npm start` runs Node: what they change is part of what a user gets. */
export function startFlags(): readonly string[] {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { scripts } = JSON.parse(manifest) as Manifest;
  return (scripts['start'] ?? '').split(' ').filter((word) => word.startsWith('--'));
}
