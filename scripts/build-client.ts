import { copyFileSync, cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { writeDeclarations } from './client-declarations.ts';

const ROOT = join(import.meta.dirname, '..');
const PACKAGE = join(ROOT, 'src/client');
const DIST = join(PACKAGE, 'dist');
const TYPES = join(DIST, 'types');
/** The same for `require`, as Jest and packages without `"type": "module"` have it. */
const COMMONJS = join(DIST, 'commonjs');

/** Makes `src/client/dist`, all that the package crosspod-client has besides its README. */
async function buildClient(): Promise<void> {
  rmSync(DIST, { recursive: true, force: true });
  await bundle();
  writeDeclarations(TYPES);
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

/** Node and TypeScript read from the nearest package.json whether a file is CommonJS. */
function declareCommonJs(): void {
  writeFileSync(join(COMMONJS, 'package.json'), '{ "type": "commonjs" }\n');
  cpSync(TYPES, join(COMMONJS, 'types'), { recursive: true });
}

await buildClient();
