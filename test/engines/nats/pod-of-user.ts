import { degraded, eventually, podOn } from '../../faults/world.ts';
import { envOf, type OperatedNats, type User } from './operator.ts';
import { expect } from 'vitest';
import type { PodProcess } from '../../support/stack/pods.ts';

/** A pod that logs in as the user, until the test ends. */
export async function podOf(nats: OperatedNats, user: User): Promise<PodProcess> {
  return podOn({ env: envOf(nats, user) });
}

/** Expects that the pod cannot use NATS and logs why, without any secret. */
export async function expectAway(pod: PodProcess, user: User, reason: string | RegExp): Promise<void> {
  await eventually(
    `the reason ${reason}`,
    () =>
      reasonsIn(pod).some((one) => (typeof reason === 'string' ? one.includes(reason) : reason.test(one))),
    () => pod.output(),
  );
  await degraded(pod);
  for (const secret of user.secrets) expect(pod.output()).not.toContain(secret);
}

/** The reasons that the pod has logged for NATS being unavailable. */
function reasonsIn(pod: PodProcess): string[] {
  const lines = pod
    .output()
    .split('\n')
    .filter((line) => line.includes('"reason"'));
  return lines.map((line) => String((JSON.parse(line) as { reason: unknown }).reason));
}
