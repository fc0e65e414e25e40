import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Pod, startPod } from '../support/pod.ts';
import { closing, frame, OPCODE, Peer, text } from './wire.ts';
import { expectUnharmed } from './pod-state.ts';
import { Witnesses } from './witnesses.ts';

let pod: Pod;
let witnesses: Witnesses;
let listener: Peer;
beforeEach(async () => {
  pod = await startPod({ HANDSHAKES_PER_SECOND: '1000000' });
  witnesses = await Witnesses.start(pod);
  listener = await Peer.open(pod, '/ws?dialect=channel');
  listener.send(text('{"type":"subscribe","channel":"deep","ref":"s"}'));
  await listener.until(({ payload }) => payload.includes('"subscribed"'));
});
afterEach(async () => {
  listener.end();
  witnesses.close();
  await pod.stop();
});

function chat(depth: number): Buffer {
  return text(`{"type":"chat","room":"deep","data":${'['.repeat(depth)}${']'.repeat(depth)},"ref":"deep"}`);
}

async function isTaken(depth: number): Promise<boolean> {
  const peer = await Peer.open(pod, '/ws?dialect=message');
  peer.send(chat(depth));
  const answers = await peer.until(({ payload }) => /^\{"type":"(ack|error)"/.test(payload.toString()));
  peer.end();
  return answers.at(-1)?.payload.includes('"type":"ack"') ?? false;
}

/** The deepest data that the pod takes, whether it has a limit or only a stack. */
async function deepest(): Promise<number> {
  let [taken, refused] = [1, 32_000];
  expect(await isTaken(refused), 'there is a limit').toBe(false);
  while (refused - taken > 1) {
    const middle = (taken + refused) >> 1;
    if (await isTaken(middle)) taken = middle;
    else refused = middle;
  }
  return taken;
}

/** Ways to end a turn of the event loop early, with less of the stack left than there was for the message. */
const ENDINGS: Record<string, readonly Buffer[]> = {
  'ten bad frames': Array<Buffer>(10).fill(text('!')),
  'a binary frame': [frame(OPCODE.binary)],
  'a frame that breaks the protocol': [frame(3)],
  'a close': [closing(1000)],
};

test.each(Object.entries(ENDINGS))(
  'A message as deep as the pod takes, with %s right behind it, harms nobody',
  async (_, ending) => {
    const most = await deepest();
    const beside: string[] = [];
    for (let depth = most - 20; depth <= most + 3 && witnesses.faults.length === 0; depth += 1) {
      const peer = await Peer.open(pod, '/ws?dialect=message');
      const message = `"beside ${depth}"`;
      peer.send(chat(depth), text(`{"type":"chat","room":"deep","data":${message}}`), ...ending);
      await peer.closeCode().finally(() => peer.end());
      beside.push(message);
    }
    // What others say in the room at the same time is not lost with it.
    const last = beside.at(-1) ?? '';
    const heard = (await listener.until(({ payload }) => payload.includes(last))).map(({ payload }) =>
      payload.toString(),
    );
    expect(beside.filter((message) => !heard.some((one) => one.includes(message)))).toEqual([]);
    await expectUnharmed(pod);
    expect(await witnesses.stop()).toEqual([]);
  },
);

test('A message as deep as the pod takes reaches listeners of both dialects, and whoever asks for it later', async () => {
  const most = await deepest();
  const late = await Peer.open(pod, '/ws?dialect=channel');
  late.send(text('{"type":"subscribe","channel":"deep","history":100,"ref":"s"}'));
  const isDeepest = ({ payload }: { payload: Buffer }): boolean => payload.includes('['.repeat(most));
  for (const peer of [listener, late]) expect((await peer.until(isDeepest)).some(isDeepest)).toBe(true);
  late.end();
  await expectUnharmed(pod);
  expect(await witnesses.stop()).toEqual([]);
});

test('A request with a body of any depth is answered, and harms nobody', async () => {
  for (const depth of [100, 1_000, 4_000, 4_300, 4_400, 5_000, 10_000, 30_000]) {
    for (const [open, shut] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const body = `{"channel":"deep","payload":${open.repeat(depth)}1${shut.repeat(depth)}}`;
      if (body.length > 65_536) continue;
      const { status } = await fetch(`${pod.url}/api/event`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body,
      });
      expect([200, 400, 404], `depth ${depth} of ${open}`).toContain(status);
    }
  }
  await expectUnharmed(pod);
  expect(await witnesses.stop()).toEqual([]);
});
