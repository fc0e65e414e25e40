import { expect, test } from 'vitest';
import { TestPod, turns } from '../../support/test-pod.ts';
import type { ArrivalDecision, Hooks } from '../../../src/core/ports/hooks.ts';
import type { Authenticator } from '../../../src/core/ports/authenticator.ts';
import { DEFAULT_PERMISSIONS, RuleList } from '../../../src/core/base/permissions.ts';
import { messageDialect } from '../../../src/protocol/dialects.ts';

/** Its tokens are user ids. */
const authenticator: Authenticator = {
  authenticate: (token) =>
    Promise.resolve({ userId: token, permissions: DEFAULT_PERMISSIONS, claims: { token } }),
};

function hooksThat(connecting: (asked: unknown) => ArrivalDecision): Hooks {
  return {
    identifies: true,
    passedHeaders: [],
    connecting: (arrival) => Promise.resolve(connecting(arrival)),
    joining: undefined,
    publishing: undefined,
    decidesOnce: false,
    calling: undefined,
    left: undefined,
    disconnected: () => undefined,
  };
}

test('A new token asks connect again: permissions and rooms of the new answer replace the former ones', async () => {
  const asked: unknown[] = [];
  const grant = { permissions: new RuleList([]), rooms: ['b'], expiresAt: 4_102_444_800_000 };
  const hooks = hooksThat((arrival) => {
    asked.push(arrival);
    return { kind: 'allow', grant };
  });
  const world = new TestPod({}, hooks);
  Object.assign(world.pod, { authenticator });
  const { socket, send, connection } = world.connect('alice', { room: 'own' }, messageDialect, {
    source: { headers: {}, remote: '192.0.2.7' },
    welcome: { rooms: ['a'] },
  });
  await turns(5);
  send({ type: 'auth', data: { token: 'alice' }, ref: '1' });
  await turns(10);
  expect(asked).toMatchObject([
    {
      occasion: 'auth',
      userId: 'alice',
      room: 'own',
      evidence: { claims: { token: 'alice' }, remote: '192.0.2.7' },
    },
  ]);
  expect(connection.memberships.map(({ room }) => room.name)).toEqual(['b']);
  expect(connection.expiresAt).toBe(4_102_444_800_000);
  const told = socket.frames.slice(3).map(({ event, room = '' }) => `${event} ${room}`);
  expect(told.toSorted()).toEqual(['authenticated ', 'joined b', 'left a', 'left own']);
});

test.each<[ArrivalDecision, string]>([
  [{ kind: 'refuse', by: 'backend', rejection: { code: 'forbidden', error: 'no' } }, 'forbidden'],
  [{ kind: 'failed' }, 'unavailable'],
])('A new token is rejected by %j, and the connection stays as it was', async (decision, code) => {
  const world = new TestPod(
    {},
    hooksThat(() => decision),
  );
  Object.assign(world.pod, { authenticator });
  const { socket, send, connection } = world.connect('alice', { room: 'r' });
  await turns(5);
  send({ type: 'auth', data: { token: 'alice' }, ref: '1' });
  await turns(5);
  expect(socket.frames.at(-1)).toMatchObject({ type: 'error', ref: '1', data: { code } });
  expect(connection.memberships).toHaveLength(1);
});
