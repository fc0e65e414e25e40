import { describe, expect, test } from 'vitest';
import { TestPod, turns } from '../../support/test-pod.ts';
import type { Authenticator } from '../../../src/core/ports/authenticator.ts';
import { channelDialect, messageDialect } from '../../../src/protocol/dialects.ts';
import { PersonalRoom } from '../../../src/core/base/personal-room.ts';
import { DEFAULT_PERMISSIONS, RuleList, UNRESTRICTED } from '../../../src/core/base/permissions.ts';
import type { Permissions } from '../../../src/core/ports/principal.ts';
import { joinUser } from '../../../src/core/commands/move-user.ts';

const NOTHING = new RuleList([]);

/** Its tokens are rooms, separated by commas, of the user alice. */
const authenticator: Authenticator = {
  authenticate: (token) =>
    Promise.resolve({ userId: 'alice', permissions: NOTHING, rooms: token.split(',').filter(Boolean) }),
};

interface Options {
  readonly rooms?: readonly string[];
  readonly permissions?: Permissions;
  readonly address?: string;
  readonly dialect?: typeof messageDialect | undefined;
}

function client(world: TestPod, userId: string, options: Options = {}) {
  const { rooms, permissions = NOTHING, address } = options;
  const dialect = 'dialect' in options ? options.dialect : messageDialect;
  const principal = { userId, permissions, rooms };
  // `connect` takes an absent dialect for the message dialect.
  const more = { principal, dialect };
  const made = world.connect(userId, { room: address }, messageDialect, more);
  const names = (): string[] => made.connection.memberships.map(({ room }) => room.name);
  const errors = (): unknown[] => made.socket.frames.filter(({ type }) => type === 'error');
  return { ...made, names, errors };
}

function withPersonalRooms(template = 'user-{user}', limits = {}): TestPod {
  const world = new TestPod(limits);
  Object.assign(world.pod, { personalRoom: new PersonalRoom(template), authenticator });
  return world;
}

describe('Rooms of the claim', () => {
  test('are joined at connect, after the room of the address, without another permission', async () => {
    const { socket, names, connection } = client(new TestPod(), 'alice', { rooms: ['a', 'b'], address: 'b' });
    await turns(10);
    expect(names()).toEqual(['b', 'a']);
    expect(socket.frames.filter(({ event }) => event === 'joined')).toHaveLength(2);
    const may = (['history', 'presence', 'publish'] as const).map((action) => connection.may(action, 'a'));
    expect(may).toEqual([true, true, false]);
  });

  test('stay permitted after a leave', async () => {
    const { send, names, errors } = client(new TestPod(), 'alice', { rooms: ['a'] });
    await turns(5);
    send({ type: 'leave', room: 'a' });
    send({ type: 'join', room: 'a' });
    await turns(10);
    expect(names()).toEqual(['a']);
    expect(errors()).toEqual([]);
  });

  test('are joined when the dialect is known: in the channel dialect heard, not present', async () => {
    const { connection, send } = client(new TestPod(), 'alice', { rooms: ['a'], dialect: undefined });
    await turns(5);
    expect(connection.memberships).toEqual([]);
    send({ type: 'ping', channel: 'x' });
    await turns(10);
    expect(connection.dialect).toMatchObject({ hearsAll: false });
    expect(connection.memberships).toMatchObject([{ present: false, room: { name: 'a' } }]);
  });

  test('beyond a limit are an error frame each, and permitted once there is a place', async () => {
    const world = new TestPod({ maxRoomsPerConnection: 1 });
    const { names, errors, send } = client(world, 'alice', { rooms: ['a', 'b', 'c'] });
    await turns(10);
    expect(names()).toEqual(['a']);
    expect(errors()).toMatchObject(['b', 'c'].map((room) => ({ room, data: { code: 'too_many_rooms' } })));
    send({ type: 'leave', room: 'a' });
    send({ type: 'join', room: 'b' });
    await turns(10);
    expect(names()).toEqual(['b']);
  });

  test('follow the list of a new token: new ones are joined, missing ones left', async () => {
    const world = new TestPod();
    Object.assign(world.pod, { authenticator });
    const { names, send, socket, connection } = client(world, 'alice', { rooms: ['a', 'b'] });
    await turns(10);
    send({ type: 'auth', data: { token: 'b,c' }, ref: '1' });
    await turns(10);
    expect(names()).toEqual(['b', 'c']);
    expect(socket.frames.filter(({ event }) => event === 'left')).toMatchObject([{ room: 'a' }]);
    expect(connection.may('history', 'a')).toBe(false);
    send({ type: 'auth', data: { token: ',' } });
    await turns(10);
    expect(names()).toEqual([]);
  });

  test('do not open the room of another user: by a rule with {user}, or personal', async () => {
    const world = withPersonalRooms();
    world.rules.set('of-bob', { onlyUser: 'bob' });
    const { names, errors } = client(world, 'alice', { rooms: ['of-bob', 'user-bob'] });
    await turns(10);
    expect(names()).toEqual(['user-alice']);
    expect(errors()).toMatchObject(
      ['of-bob', 'user-bob'].map((room) => ({ room, data: { code: 'forbidden' } })),
    );
  });
});

describe('PERSONAL_ROOM', () => {
  test('is joined by every connection of its user and named in connected', async () => {
    const world = withPersonalRooms();
    const one = client(world, 'guest:bob');
    const two = client(world, 'guest:bob', { dialect: channelDialect });
    await turns(10);
    expect([one.names(), two.names()]).toEqual([['user-guest:3abob'], ['user-guest:3abob']]);
    expect(one.socket.frames[0]).toMatchObject({ data: { personal_room: 'user-guest:3abob' } });
    expect(two.connection.memberships).toMatchObject([{ present: false }]);
  });

  test('is joined by no other user: by permission, rule or connect', async () => {
    const world = withPersonalRooms();
    world.rules.set('user-bob', { join: 'anyone' });
    const { send, names, errors } = client(world, 'alice', { permissions: UNRESTRICTED });
    const welcomed = world.connect('carol', {}, messageDialect, { welcome: { rooms: ['user-bob'] } });
    await turns(5);
    send({ type: 'join', room: 'user-bob' });
    await turns(10);
    expect(names()).toEqual(['user-alice']);
    expect(errors()).toMatchObject([{ data: { code: 'forbidden' } }]);
    expect(welcomed.connection.memberships.map(({ room }) => room.name)).toEqual(['user-carol']);
  });

  test('does not let another user be present by the channel dialect', async () => {
    const world = withPersonalRooms();
    const { send, names } = client(world, 'alice', { permissions: UNRESTRICTED, dialect: channelDialect });
    await turns(5);
    send({ type: 'presence_join', channel: 'user-bob' });
    await turns(10);
    expect(names()).toEqual(['user-alice']);
  });

  test('is opened to another user by the API, who may not publish into it', async () => {
    const world = withPersonalRooms();
    const { names, send, errors } = client(world, 'alice', { permissions: UNRESTRICTED });
    await turns(5);
    await joinUser(world.pod, 'alice', 'user-bob');
    expect(names()).toEqual(['user-alice', 'user-bob']);
    send({ type: 'chat', room: 'user-bob', data: 1 });
    await turns(5);
    expect(errors()).toMatchObject([{ data: { code: 'forbidden' } }]);
  });

  test('takes messages of its user, who needs the permission to publish', async () => {
    const world = withPersonalRooms();
    const may = client(world, 'alice', { permissions: DEFAULT_PERMISSIONS });
    const mayNot = client(world, 'bob');
    await turns(5);
    may.send({ type: 'chat', room: 'user-alice', data: 1, ref: '1' });
    mayNot.send({ type: 'chat', room: 'user-bob', data: 1, ref: '1' });
    await turns(10);
    expect(may.socket.frames).toContainEqual(expect.objectContaining({ type: 'ack' }));
    expect(mayNot.errors()).toMatchObject([{ data: { code: 'forbidden' } }]);
  });

  test('over 128 characters is an error frame, and not joined', async () => {
    const { socket, names, errors } = client(withPersonalRooms(), 'é'.repeat(40));
    await turns(5);
    expect(names()).toEqual([]);
    expect(errors()).toMatchObject([{ data: { code: 'invalid_room' } }]);
    expect(socket.frames[0]?.data).not.toHaveProperty('personal_room');
  });

  test('is resumed by a join with last_id', async () => {
    const world = withPersonalRooms();
    const first = client(world, 'alice', { permissions: DEFAULT_PERMISSIONS });
    await turns(5);
    for (const data of [1, 2]) first.send({ type: 'chat', room: 'user-alice', data });
    await turns(10);
    const [seen] = first.socket.frames.filter(({ type }) => type === 'chat');
    const second = client(world, 'alice');
    second.send({ type: 'join', room: 'user-alice', last_id: seen?.id, ref: '1' });
    await turns(10);
    const messages = second.socket.frames.filter(({ type }) => type === 'chat');
    expect(messages.map(({ data }) => data)).toEqual([2]);
  });

  test('stays with its user after a new token', async () => {
    const { send, names } = client(withPersonalRooms(), 'alice');
    await turns(5);
    send({ type: 'auth', data: { token: 'a' } });
    await turns(10);
    expect(names()).toEqual(['user-alice', 'a']);
  });
});
