import { defineConfig } from 'vitest/config';

/** `npm run test:clients`: needs Java, Maven, Go and Python, and downloads what the generated clients need. */
export default defineConfig({
  test: {
    include: ['test/clients/*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
