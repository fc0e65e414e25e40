import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type OutputChunk, rolldown } from 'rolldown';
import { linesOf } from './source-lines.ts';

const ROOT = join(import.meta.dirname, '..');

/** OpenTelemetry's instrumentations change these packages when they are imported, which they cannot do in a bundle. */
const NOT_BUNDLED = [/^@opentelemetry\//, /^ioredis$/, /^pino$/, /^pino-pretty$/];

/** With a file for packages, a stack that has no frame of a package needs only the map of `main.js`. */
const PACKAGES = { name: 'packages', test: /node_modules\/(?!@nats-io\/|cluster-key-slot\/|yaml\/)/ };

/**
 * Makes the folder with the bundle that the image starts. `main.js` and `packages.js` are always loaded, the other files
 * only if a setting asks for an engine, rules, hooks or tracing. `rules.js` is the command that checks a file of rules. Beside the folder it needs `package.json`, `node_modules` and
 * `src`, from which the bundle reads pages and Lua scripts.
 */
export async function buildServer(folder: string): Promise<void> {
  const build = await rolldown({
    input: {
      main: join(ROOT, 'scripts/bundle-entry.ts'),
      rules: join(ROOT, 'src/rules-command.ts'),
    },
    platform: 'node',
    external: NOT_BUNDLED,
  });
  const { output } = await build.generate({
    // Paths in the source maps are relative to this folder, wherever the files are written.
    dir: join(ROOT, 'dist'),
    sourcemap: true,
    comments: false,
    chunkFileNames: '[name].js',
    codeSplitting: { groups: [PACKAGES] },
  });
  await build.close();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const file of output) if (file.type === 'chunk') write(file, folder);
}

function write({ code, fileName, map }: OutputChunk, folder: string): void {
  writeFileSync(join(folder, fileName), code);
  if (map !== null) writeFileSync(join(folder, `${fileName}.map`), JSON.stringify(linesOf(map)));
}

if (import.meta.main) await buildServer(join(ROOT, 'dist'));
