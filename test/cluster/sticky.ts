import { expect } from 'vitest';
import { INGRESS_URL, readyPodsOf } from './cluster.ts';
import { eventually } from './patience.ts';

/** The pod that answers, and the cookie with which a client comes back to it. */
export async function aPod(cookie?: string): Promise<{ pod: string; cookie: string | undefined }> {
  const answer = await fetch(`${INGRESS_URL}/ws/stats`, cookie === undefined ? {} : { headers: { cookie } });
  expect(answer.status).toBe(200);
  const { pod } = (await answer.json()) as { pod: string };
  return { pod, cookie: answer.headers.getSetCookie()[0]?.split(';')[0] };
}

/** A cookie for each of the pods that are ready. */
export async function cookies(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const pods = await readyPodsOf('gateway');
  await eventually(`the ingress to lead to ${pods.join(' and ')}`, async () => {
    const { pod, cookie } = await aPod();
    if (cookie !== undefined) found.set(pod, cookie);
    return pods.every((one) => found.has(one));
  });
  return found;
}
