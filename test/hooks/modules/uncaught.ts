import type { HooksModule } from '../../../src/hooks/types.ts';

/** A hook with faults that show only after it has answered, for test/integration/lifecycle.test.ts. */

export const onMessage: HooksModule['onMessage'] = (_, { data }) => {
  const { do: what } = Object(data) as { do?: string };
  if (what === 'throw') {
    setTimeout(() => {
      throw new Error('thrown by nobody’s call');
    });
  }
  if (what === 'reject') void Promise.reject(new Error('rejected, and nobody looked'));
};
