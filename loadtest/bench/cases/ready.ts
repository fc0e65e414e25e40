import { join } from 'node:path';
import { buildServer } from '../../../scripts/build-server.ts';
import { fillCompileCache } from '../../../scripts/fill-compile-cache.ts';
import type { Options } from '../arguments.ts';
import { type Contender, CONTENDERS } from '../contenders.ts';
import { spread } from '../rounds.ts';
import { startServer } from '../server.ts';
import type { CaseResult } from '../table.ts';

const DIST = join(import.meta.dirname, '../../../dist');

/** From the start of the process to the first 200 of the readiness probe. */
export async function ready(options: Options): Promise<CaseResult[]> {
  const names = (['ws', 'socketio', 'crosspod'] as const).filter((one) => options.contenders.includes(one));
  const contenders = new Map<string, Contender>(names.map((name) => [name, CONTENDERS[name]]));
  if (contenders.has('crosspod')) contenders.set('crosspod, image', await imageContender());
  const figures = new Map<string, number[]>([...contenders.keys()].map((name) => [name, []]));
  for (let round = 0; round < options.rounds; round++) {
    for (const [name, contender] of contenders) {
      const server = await startServer(contender);
      figures.get(name)?.push(server.readyMs);
      await server.stop();
    }
  }
  return [
    {
      name: 'ready',
      title: 'Start to ready',
      header: ['server', 'ms'],
      rows: [...figures].map(([name, milliseconds]) => [name, spread(milliseconds, 0)]),
      figures: Object.fromEntries(figures),
    },
  ];
}

/** What the image starts, with the code that it has compiled. */
async function imageContender(): Promise<Contender> {
  const [main, cache] = [join(DIST, 'main.js'), join(DIST, 'compiled')];
  await buildServer(DIST);
  await fillCompileCache(cache, main);
  const { env, ...crosspod } = CONTENDERS.crosspod;
  return { ...crosspod, script: main, env: { ...env, NODE_COMPILE_CACHE: cache } };
}
