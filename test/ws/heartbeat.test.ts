import { afterEach, beforeEach, expect, test } from 'vitest';
import { Heartbeat } from '../../src/ws/heartbeat.ts';
import { TestPod } from '../support/test-pod.ts';

const SILENCE_MS = 60_000;

let pod: TestPod;
let heartbeat: Heartbeat;

beforeEach(() => {
  pod = new TestPod({ heartbeatSeconds: 25, heartbeatTimeoutSeconds: SILENCE_MS / 1_000 });
  heartbeat = new Heartbeat(pod.pod.hub, pod.clock, pod.pod.limits);
  heartbeat.start();
});

afterEach(() => heartbeat.stop());

test('a silent client is closed after HEARTBEAT_TIMEOUT_SECONDS, one that sends something is not', () => {
  const [silent, talking] = [pod.connect('silent'), pod.connect('talking')];
  pod.clock.advance(SILENCE_MS / 2);
  pod.gateway.heard(talking.connection);
  pod.clock.advance(SILENCE_MS / 2);
  expect(silent.socket.closeCode).toBe(4408);
  expect(talking.socket.closeCode).toBeUndefined();
});

test('a clock that is set forward or back changes nothing', () => {
  const client = pod.connect('client');
  pod.clock.setBack(-10 * SILENCE_MS);
  pod.clock.advance(SILENCE_MS / 2);
  pod.clock.setBack(10 * SILENCE_MS);
  pod.clock.advance(SILENCE_MS / 2 - 1);
  expect(client.socket.closeCode).toBeUndefined();
  pod.clock.advance(1);
  expect(client.socket.closeCode).toBe(4408);
});

test('the time in which the pod was blocked does not count as silence of clients', () => {
  const client = pod.connect('client');
  pod.clock.advance(SILENCE_MS / 2);
  pod.clock.stall(2 * SILENCE_MS);
  pod.clock.advance(SILENCE_MS / 2 - 2_000);
  expect(client.socket.closeCode).toBeUndefined();
  pod.clock.advance(2_000);
  expect(client.socket.closeCode).toBe(4408);
});

test('a client is pinged once in each HEARTBEAT_SECONDS since it connected, also when beats come late', () => {
  pod.clock.advance(500);
  const client = pod.connect('client');
  const openedAt = pod.clock.elapsed();
  const pings: number[] = [];
  client.socket.ping = () => pings.push(Math.floor((pod.clock.elapsed() - openedAt) / 25_000));
  const speakFor = (ms: number): void => {
    pod.clock.advance(ms);
    pod.gateway.heard(client.connection);
  };
  speakFor(24_000);
  expect(pings).toEqual([]);
  speakFor(26_500);
  pod.clock.stall(3_000);
  for (let n = 0; n < 4; n += 1) speakFor(25_000);
  expect(pings).toEqual([1, 2, 3, 4, 5, 6]);
});

test('a client whose socket the pod does not read is not silent, however long its commands take', async () => {
  const { connection, socket } = pod.connect('client');
  const commands = Array.from({ length: 40 }, () => Promise.withResolvers<void>());
  for (const { promise } of commands) connection.commands.run(() => promise);
  for (const { resolve } of commands) {
    pod.clock.advance(SILENCE_MS / 4);
    expect(socket.closeCode).toBeUndefined();
    // While it is read, its pongs arrive.
    if (!connection.commands.holdsBack) pod.gateway.heard(connection);
    resolve();
    await Promise.resolve();
    await Promise.resolve();
  }
});

test('a client that is read again has HEARTBEAT_TIMEOUT_SECONDS from then on', async () => {
  const { connection, socket } = pod.connect('client');
  const { promise, resolve } = Promise.withResolvers<void>();
  for (let n = 0; n < 20; n += 1) connection.commands.run(() => (n === 0 ? promise : undefined));
  pod.clock.advance(3 * SILENCE_MS);
  resolve();
  await promise;
  pod.clock.advance(SILENCE_MS - 1_000);
  expect(socket.closeCode).toBeUndefined();
  pod.clock.advance(1_000);
  expect(socket.closeCode).toBe(4408);
});
