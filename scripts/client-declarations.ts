import { execFileSync } from 'node:child_process';
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');
const PROJECT = join(ROOT, 'src/client/tsconfig.build.json');

/** What stands between the quotes of each relative import or export in a declaration file. */
const RELATIVE_IMPORT = /(?<=\b(?:from |import\()')\.[^']+(?=')/g;

/** Writes the declaration files of the client's public API, and all that they import, below `folder`. */
export function writeDeclarations(folder: string): void {
  execFileSync(process.execPath, [TSC, '-p', PROJECT, '--outDir', folder], { stdio: 'inherit' });
  const published = reachable(join(folder, 'client/client.d.ts'));
  for (const path of globSync(join(folder, '**/*.d.ts'))) {
    if (published.has(path)) writeFileSync(path, withJsExtensions(readFileSync(path, 'utf8')));
    else rmSync(path);
  }
}

/** The file and everything that it imports. */
function reachable(path: string, found = new Set<string>()): Set<string> {
  if (found.has(path)) return found;
  found.add(path);
  for (const [specifier] of readFileSync(path, 'utf8').matchAll(RELATIVE_IMPORT))
    reachable(join(dirname(path), specifier.replace(/\.ts$/, '.d.ts')), found);
  return found;
}

/** tsc rewrites the extensions of imports in JavaScript (`rewriteRelativeImportExtensions`), not in declarations. */
function withJsExtensions(declarations: string): string {
  return declarations.replaceAll(RELATIVE_IMPORT, (specifier) => specifier.replace(/\.ts$/, '.js'));
}
