import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectNoFaultIn, MIB, onlyConnections, residentBytes } from './pod-state.ts';
import { Peer, text } from './wire.ts';
import { type Pod, startPod } from '../support/pod.ts';
import { Witnesses } from './witnesses.ts';

const CROWD = 10_000;
/**
 * So many of them are sent more than the system's own buffers hold, about 2.6 MB each over the loopback device. All of
 * them (HOSTILE_FRONT_ROW=10000) would take all the memory that Linux has for TCP, and with it every other connection
 * of the host.
 */
const FRONT_ROW = Number(process.env['HOSTILE_FRONT_ROW'] ?? 100);
const ROOM = 'crowd';
const FRONT_ROOM = 'front-row';
const BURST = 100;
const MINUTE = 60_000;

/**
 * What 10,000 clients that read nothing may cost above what they cost while they are idle. Each has up to 64 KiB in
 * its stream (Node's high-water mark) and then up to OUTBOX_MESSAGES messages: copies of its own would be 640 MiB and
 * more. But a room's bytes are shared, so that a client costs the references to them, and the system's buffers
 * outside of the process: 16 KiB each are plenty.
 */
const BOUND = CROWD * 16 * 1_024;

let pod: Pod;
let witnesses: Witnesses;
let crowd: ChildProcess;
let speaker: Peer;
let said = 0;

beforeAll(async () => {
  pod = await startPod({
    MAX_CONNECTIONS: String(CROWD + 100),
    HANDSHAKES_PER_SECOND: '1000000',
    OUTBOX_MESSAGES: '32',
    // Else each of the first few hundred to join is told of each of the others.
    PRESENCE_EVENTS_LIMIT: '10',
    // Who reads nothing answers no ping: here that is not what ends it.
    HEARTBEAT_TIMEOUT_SECONDS: '3600',
  });
  witnesses = await Witnesses.start(pod);
  speaker = await Peer.open(pod, '/ws?dialect=message');
  crowd = fork(
    fileURLToPath(new URL('crowd.ts', import.meta.url)),
    [pod.ports.PORT, String(CROWD), String(FRONT_ROW), ROOM, FRONT_ROOM],
    { execArgv: ['--disable-warning=ExperimentalWarning'] },
  );
  await new Promise((resolve, reject) => {
    crowd.once('message', resolve);
    crowd.once('exit', (code) => reject(new Error(`the crowd ended with ${code} before it was there`)));
  });
}, MINUTE);

afterAll(async () => {
  crowd.kill('SIGKILL');
  speaker.end();
  witnesses.close();
  await pod.stop();
});

/** Publishes a burst of messages of 200 bytes; resolves when the pod has taken them. */
async function publish(room: string): Promise<void> {
  const frames = Array.from({ length: BURST }, () => {
    said += 1;
    const fields = { type: 'chat', room, data: '', ref: `r${said}` };
    return text(JSON.stringify({ ...fields, data: 'x'.repeat(200 - JSON.stringify(fields).length) }));
  });
  speaker.send(...frames);
  await speaker.until(({ payload }) => payload.includes(`"ref":"r${said}"`));
}

/** How often a connection had more waiting than its outbox may hold. */
async function overflows(): Promise<number> {
  const answer = await fetch(`${pod.opsUrl}/metrics`);
  const [, count = '0'] =
    /^realtime_messages_dropped\{reason="lagging"\} (\d+)/m.exec(await answer.text()) ?? [];
  return Number(count);
}

describe(`${CROWD} clients that join a room and read nothing`, () => {
  test(
    'cost the pod a bounded amount of memory, however much is published',
    async () => {
      const idle = await residentBytes(pod);
      await publish(ROOM);
      while ((await overflows()) < FRONT_ROW) await publish(FRONT_ROOM);
      const full = await residentBytes(pod);
      for (let n = 0; n < 50; n += 1) await publish(FRONT_ROOM);
      const later = await residentBytes(pod);
      const figures = [idle, full, later].map((bytes) => Math.round(bytes / MIB)).join(', ');
      console.log(`resident: joined, full, at the end: ${figures} MiB; ${said} messages`);
      expect(full - idle).toBeLessThan(BOUND);
      expect(later - idle).toBeLessThan(BOUND);
    },
    2 * MINUTE,
  );

  test('stay connected: nothing of what they do not read is lost to them yet', async () => {
    await onlyConnections(pod, CROWD + Witnesses.connections + 1);
  });

  test('hold up nobody: others get every message once and in order', async () => {
    expect(await witnesses.stop()).toEqual([]);
    console.log(`the witnesses heard ${witnesses.heard} messages`);
    expect(witnesses.heard).toBeGreaterThan(0);
  });

  test('do not keep the pod from a clean end', async () => {
    expect(await pod.stop()).toEqual({ code: 0, signal: null });
    expectNoFaultIn(pod.output());
  });
});
