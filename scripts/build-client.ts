import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { rolldown } from 'rolldown';

const ROOT = join(import.meta.dirname, '..');
const PACKAGE = join(ROOT, 'src/client');
const DIST = join(PACKAGE, 'dist');
const TYPES = join(DIST, 'types');
/** The same for `require`, as Jest and packages without `"type": "module"` have it. */
const COMMONJS = join(DIST, 'commonjs');
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');

/** What stands between the quotes of each relative import or export in a declaration file. */
const RELATIVE_IMPORT = /(?<=\b(?:from |import\()')\.[^']+(?=')/g;

/** Makes `src/client/dist`, all that the package crosspod-client has besides its README. */
async function buildClient(): Promise<void> {
  rmSync(DIST, { recursive: true, force: true });
  await bundle();
  declareTypes();
  declareCommonJs();
  // npm puts in the licence that lies beside the package.json, and follows no link.
  copyFileSync(join(ROOT, 'LICENSE'), join(PACKAGE, 'LICENSE'));
}

async function bundle(): Promise<void> {
  const build = await rolldown({
    input: join(PACKAGE, 'client.ts'),
    platform: 'neutral',
    transform: { target: 'es2022' },
  });
  // The source map brings the sources, and with them the comments.
  const output = { sourcemap: true, minify: true };
  await build.write({ ...output, file: join(DIST, 'crosspod-client.js'), format: 'esm' });
  await build.write({ ...output, file: join(COMMONJS, 'crosspod-client.js'), format: 'cjs' });
  await build.close();
}

/** Of which kind a file of JavaScript or of declarations is says the package.json next to it. */
function declareCommonJs(): void {
  writeFileSync(join(COMMONJS, 'package.json'), '{ "type": "commonjs" }\n');
  cpSync(TYPES, join(COMMONJS, 'types'), { recursive: true });
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
