import type { Options } from '../arguments.ts';
import { CONTENDERS } from '../contenders.ts';
import type { ContenderName } from '../contenders.ts';
import { spread } from '../rounds.ts';
import { startServer } from '../server.ts';
import type { CaseResult } from '../table.ts';

/** From the start of the process to the first 200 of the readiness probe. */
export async function ready(options: Options): Promise<CaseResult[]> {
  const contenders = (['ws', 'socketio', 'crosspod'] as const).filter((one) =>
    options.contenders.includes(one),
  );
  const figures = new Map<ContenderName, number[]>(contenders.map((name) => [name, []]));
  for (let round = 0; round < options.rounds; round++) {
    for (const name of contenders) {
      const server = await startServer(CONTENDERS[name]);
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
