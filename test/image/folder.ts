import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buildServer } from '../../scripts/build-server.ts';
import { fillCompileCache } from '../../scripts/fill-compile-cache.ts';

export const ROOT = join(import.meta.dirname, '../..');

/** What the image has in `/app`: the bundle, the sources, production dependencies and the compiled code. */
export class ImageFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'crosspod-image-'));
  readonly main = join(this.path, 'dist/main.js');
  readonly cache = join(this.path, 'compiled');

  async fill(): Promise<void> {
    await buildServer(join(this.path, 'dist'));
    copyFileSync(join(ROOT, 'package.json'), join(this.path, 'package.json'));
    symlinkSync(join(ROOT, 'src'), join(this.path, 'src'));
    for (const name of productionPackages()) {
      const link = join(this.path, name);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(ROOT, name), link);
    }
    await fillCompileCache(this.cache, this.main);
  }

  discard(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** The folders that `npm ci --omit=dev` makes, without those inside of packages. */
function productionPackages(): string[] {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, { readonly dev?: true; readonly devOptional?: true }>>;
  };
  return Object.entries(packages)
    .filter(
      ([path, { dev, devOptional }]) => /^node_modules\/[^/]+(\/[^/]+)?$/.test(path) && !dev && !devOptional,
    )
    .map(([path]) => path);
}
