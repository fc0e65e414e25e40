import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // They need a cluster (npm run test:cluster), and compilers and packages of other languages (npm run test:clients).
    exclude: ['test/cluster/**', 'test/clients/**'],
    globalSetup: ['test/support/requirements.ts'],
    maxWorkers: 4,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
