import { describe, expect, test } from 'vitest';
import { CLOSE } from '../../../src/protocol/close-codes.ts';
import { kickUser } from '../../../src/core/commands/kick.ts';
import { TestPod } from '../../support/test-pod.ts';

describe('a close that the pod makes says why', () => {
  test.each([
    ['goingAway', /the server is stopping/],
    ['binaryFrame', /only text/],
    ['policy', /ten invalid frames/],
    ['drain', /another pod/],
    ['overload', /too slowly/],
    ['tokenEnded', /expired/],
    ['kicked', /by the application/],
    ['noHeartbeat', /received nothing/],
    ['rateAbuse', /too many messages/],
  ] as const)('%s', (name, text) => {
    const { connection, socket } = new TestPod().connect('alice');
    connection.close(CLOSE[name]);
    expect(socket.closeReason).toMatch(text);
    // RFC 6455 section 5.5 allows no more.
    expect(Buffer.byteLength(socket.closeReason ?? '')).toBeLessThanOrEqual(123);
  });

  test('where nobody says why a user is disconnected, or in no words', async () => {
    for (const [reason, said] of [
      [undefined, 'disconnected by the application'],
      ['', 'disconnected by the application'],
      ['rules broken', 'rules broken'],
    ] as const) {
      const world = new TestPod();
      const { socket } = world.connect('alice');
      await kickUser(world.pod, 'alice', reason);
      expect([socket.closeCode, socket.closeReason]).toEqual([CLOSE.kicked.code, said]);
    }
  });
});
