import { kubernetesTool } from '../../scripts/kubernetes-tools.ts';
import { requireProgram } from '../../scripts/requirements.ts';

const PROGRAMS = [
  'chromium',
  'redis-server',
  'redis-sentinel',
  'nats-server',
  'haproxy',
  'openssl',
  'gcc',
  'shellcheck',
  'promtool',
  'python3',
] as const;

/** vitest's globalSetup: what no npm package brings is found or installed before the first test. */
export default function setup(): void {
  for (const name of PROGRAMS) requireProgram(name);
  for (const tool of ['helm', 'kubectl'] as const) kubernetesTool(tool);
}
