import type { Options } from '../arguments.ts';
import { withEarlier } from '../build.ts';
import { askedOf } from '../contenders.ts';
import { imageContender } from '../image.ts';
import { measure } from '../measure.ts';
import { spread } from '../rounds.ts';
import { startServer } from '../server.ts';
import type { CaseResult } from '../table.ts';

/** From the start of the process to the first 200 of the readiness probe. */
export async function ready(options: Options): Promise<CaseResult[]> {
  const chosen = askedOf(['ws', 'socketio', 'centrifugo', 'crosspod'], options.contenders);
  const members = new Map([...chosen].map(([name, contender]) => [name, { contender }]));
  const contenders = withEarlier(members, options.against);
  if (members.has('crosspod')) contenders.set('crosspod, image', { contender: await imageContender() });
  const figures = new Map<string, number[]>([...contenders.keys()].map((name) => [name, []]));
  for (let round = 0; round < options.rounds; round++) {
    for (const [name, { contender }] of contenders) {
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
      measures: [measure('ms', 0, figures, (ms) => ms)],
    },
  ];
}
