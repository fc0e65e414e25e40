import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
}

const MANIFEST = fileURLToPath(new URL('../../package.json', import.meta.url));

/** The flags with which `npm start` runs Node: what they change is part of what a user gets. */
export function startFlags(manifest = MANIFEST): readonly string[] {
  const { scripts } = JSON.parse(readFileSync(manifest, 'utf8')) as Manifest;
  return (scripts['start'] ?? '').split(' ').filter((word) => word.startsWith('--'));
}
