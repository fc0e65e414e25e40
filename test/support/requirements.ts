import { requireProgram } from '../../scripts/requirements.ts';

/** vitest's globalSetup: what no npm package brings is found or installed before the first test. */
export default function setup(): void {
  requireProgram('chromium');
}
