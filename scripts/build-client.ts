import { execFileSync } from 'node:child_process';
import { copyFileSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { rolldown } from 'rolldown';

const ROOT = join(import.meta.dirname, '..');
const PACKAGE = join(ROOT, 'src/client');
const DIST = join(PACKAGE, 'dist');
const TYPES = join(DIST, 'types');
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');

/** What stands between the quotes of each relative import or export in a declaration file. */
const RELATIVE_IMPORT = /(?<=\b(?:from |import\()')\.[^']+(?=')/g;

/** Makes `src/client/dist`, all that the package crosspod-client has besides its README. */
async function buildClient(): Promise<void> {
  rmSync(DIST, { recursive: true, force: true });
  await bundle();
  declareTypes();
  // npm puts in the licence that lies beside the package.json, and follows no link.
  copyFileSync(join(ROOT, 'LICENSE'), join(PACKAGE, 'LICENSE'));
}

async function bundle(): Promise<void> {
  const build = await rolldown({
    input: join(PACKAGE, 'client.ts'),
    platform: 'neutral',
    transform: { target: 'es2022' },
  });
  await build.write({
    file: join(DIST, 'crosspod-client.js'),
    format: 'esm',
    // The source map brings the sources, and with them the comments.
    sourcemap: true,
    minify: true,
  });
  await build.close();
}

function declareTypes(): void {
  execFileSync(process.execPath, [TSC, '-p', join(PACKAGE, 'tsconfig.build.json')], { stdio: 'inherit' });
  const published = reachable(join(TYPES, 'client/client.d.ts'));
  for (const path of globSync(join(TYPES, '**/*.d.ts'))) {
    if (published.has(path)) writeFileSync(path, withJsExtensions(readFileSync(path, 'utf8')));
    else rmSync(path);
  }
}

/** The file and all that it imports: what is left of the others tells nobody anything. */
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

await buildClient();
