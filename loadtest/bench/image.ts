import { join } from 'node:path';
import { buildServer } from '../../scripts/build-server.ts';
import { fillCompileCache } from '../../scripts/fill-compile-cache.ts';
import { type Contender, CONTENDERS } from './contenders.ts';

const DIST = join(import.meta.dirname, '../../dist');

/** What the image starts, with the code that it has compiled. Builds it. */
export async function imageContender(): Promise<Contender> {
  const [main, cache] = [join(DIST, 'main.js'), join(DIST, 'compiled')];
  await buildServer(DIST);
  await fillCompileCache(cache, main);
  const { env, ...crosspod } = CONTENDERS.crosspod;
  return { ...crosspod, script: main, env: { ...env, NODE_COMPILE_CACHE: cache } };
}
