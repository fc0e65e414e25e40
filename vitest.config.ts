import { globSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Tests that start no other program: no pod, no server, no browser. test/support/no-programs.ts enforces it. */
const UNIT = [
  'test/{core,protocol,auth,config,ws}/**/*.test.ts',
  'test/engines/{memory,redis,shared}/**/*.test.ts',
  ...['own-rows', 'reorder-buffer', 'union'].map((name) => `test/engines/nats/${name}.test.ts`),
  'test/contract/*-{memory,sqlite}.test.ts',
  'test/hooks/{load,runner}.test.ts',
  'test/rules/!(pod|command).test.ts',
  'test/client/!(pod|react-native|too-large).test.ts',
];

/** The longest tests, which start first: one that starts last keeps the others' workers waiting for it. */
const LONGEST = [
  'faults/lost-keys',
  'chart/redis-restart',
  'simulation/simulation',
  'client-faults/rolling-restart',
  'many-pods/rebalance',
  'hostile/fuzz',
  'engines/nats/broken-connection',
  'engines/redis-cluster/lost-master',
  'simulation/scenarios',
  'faults/broken-connections',
  'model/model',
  'browser/chat',
  'browser/guest',
].map((name) => `test/${name}.test.ts`);

for (const name of [...UNIT, ...LONGEST])
  if (globSync(name, { cwd: import.meta.dirname }).length === 0)
    throw new Error(`vitest.config.ts names ${name}, which matches no file: was it renamed?`);

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const index = LONGEST.findIndex((name) => moduleId.endsWith(`/${name}`));
      return index < 0 ? LONGEST.length : index;
    };
    return (await super.sort(files)).toSorted((one, other) => place(one) - place(other));
  }
}

const timeouts = { testTimeout: 30_000, hookTimeout: 60_000 };

export default defineConfig({
  test: {
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: UNIT,
          setupFiles: ['test/support/no-programs.ts'],
          ...timeouts,
        },
      },
      {
        test: {
          name: 'programs',
          include: ['test/**/*.test.ts'],
          // test/cluster needs a cluster (npm run test:cluster), and test/clients needs compilers and packages of other
          // languages (npm run test:clients).
          exclude: ['test/cluster/**', 'test/clients/**', ...UNIT],
          globalSetup: ['test/support/requirements.ts'],
          ...timeouts,
        },
      },
    ],
  },
});
