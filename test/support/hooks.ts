import type { Hooks } from '../../src/core/ports/hooks.ts';

/** Hooks that ask nobody, but for some. */
export function hooksWith(some: Partial<Hooks>): Hooks {
  return {
    identifies: false,
    passedHeaders: undefined,
    connecting: () => Promise.resolve({ kind: 'allow', grant: {} }),
    joining: undefined,
    publishing: undefined,
    decidesOnce: false,
    calling: undefined,
    left: undefined,
    disconnected: () => undefined,
    ...some,
  };
}
