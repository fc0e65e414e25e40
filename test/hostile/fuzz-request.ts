import { dial, exchange } from './http-exchange.ts';
import { hostileRequest, type HostileRequest, toBytes } from './request-cases.ts';
import type { Pod } from '../support/pod.ts';
import type { Random } from './random.ts';
import type { Tally } from './fuzz-session.ts';

/** Sends one hostile request; throws where it is answered with anything but what is allowed for it. */
export async function fuzzRequest(pod: Pod, random: Random, tally: Tally): Promise<void> {
  const one = hostileRequest(random);
  tally.set(`request: ${one.kind}`, (tally.get(`request: ${one.kind}`) ?? 0) + 1);
  if (one.reset === true) return resetAfter(pod, one, random);
  const answers = one.allowed.length;
  const { statuses, text } = await exchange(pod, toBytes(one), { answers, fin: one.fin === true }).catch(
    (cause: unknown) => {
      throw new Error(`${describe(one)} had ${String(cause)}`, { cause });
    },
  );
  const wrong = one.allowed.some((allowed, index) => ![allowed].flat().includes(statuses[index] ?? 0));
  if (wrong) throw new Error(`${describe(one)} was answered ${JSON.stringify(text.slice(0, 500))}`);
  // What the gateway itself refuses, it explains; 400 and 431 may come from the parser, which says nothing.
  if (/^content-type: application\/json/im.test(text) && statuses.length === 1 && (statuses[0] ?? 0) >= 400) {
    const body = JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)) as { error?: unknown; code?: unknown };
    if (typeof body.error !== 'string' || typeof body.code !== 'string') {
      throw new TypeError(`${describe(one)} was answered without error and code: ${text}`);
    }
  }
}

async function resetAfter(pod: Pod, request: HostileRequest, random: Random): Promise<void> {
  const socket = dial(pod);
  await new Promise<void>((resolve) => {
    socket.once('connect', () => {
      socket.write(toBytes(request), () => {
        if (random.chance(0.5)) setImmediate(resolve);
        else resolve();
      });
    });
    socket.once('close', () => resolve());
  });
  socket.resetAndDestroy();
}

function describe(request: HostileRequest): string {
  const start = toBytes(request).toString('latin1', 0, 400);
  return `${request.kind} ${JSON.stringify(start)}, allowed ${JSON.stringify(request.allowed)},`;
}
