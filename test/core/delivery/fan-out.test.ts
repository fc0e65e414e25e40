import { describe, expect, test } from 'vitest';
import { TestPod, turns } from '../../support/test-pod.ts';
import { channelDialect } from '../../../src/protocol/dialects.ts';

describe('fan-out', () => {
  test('what a room sends in one turn leaves in one write for each member', async () => {
    const pod = new TestPod();
    const [alice, bob] = [pod.connect('alice', { room: 'r' }), pod.connect('bob', { room: 'r' })];
    await turns();
    const before = bob.socket.writes;
    for (let n = 0; n < 10; n += 1) alice.send({ data: n });
    await turns();
    expect(bob.socket.writes - before).toBe(1);
    expect(bob.socket.frames.filter(({ type }) => type === 'chat').map(({ data }) => data)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
    ]);
  });

  test('all members of one dialect are handed the same bytes, encoded once', async () => {
    const pod = new TestPod();
    const framed: string[] = [];
    pod.framed = (text) => framed.push(text);
    const publisher = pod.connect('p');
    for (let n = 0; n < 20; n += 1) pod.connect(`m${n}`, { room: 'r' });
    for (let n = 0; n < 20; n += 1) pod.connect(`c${n}`, { room: 'r' }, channelDialect);
    await turns();
    publisher.send({ room: 'r', data: 1 });
    await turns();
    const messages = framed.filter((text) => /"type":"(chat|broadcast)"/.test(text));
    expect(messages).toHaveLength(2);
  });

  test('what is published to a room costs those who are not in it nothing', async () => {
    const pod = new TestPod();
    const other = pod.connect('other', { room: 's' });
    const publisher = pod.connect('p');
    pod.connect('member', { room: 'r' });
    await turns();
    const before = other.socket.writes;
    publisher.send({ room: 'r', data: 1 });
    await turns();
    expect(other.socket.writes).toBe(before);
  });

  test('a member that joins in the turn of a publication gets joined first, with the position where it begins', async () => {
    const pod = new TestPod();
    const publisher = pod.connect('p', { room: 'r' });
    await turns();
    publisher.send({ data: 'before' });
    const late = pod.connect('late', { room: 'r' });
    publisher.send({ data: 'meanwhile' });
    await turns();
    publisher.send({ data: 'after' });
    await turns();
    const [connected, joined, ...rest] = late.socket.frames;
    expect([connected?.event, joined?.event]).toEqual(['connected', 'joined']);
    const { position } = (joined?.data ?? {}) as { position?: string };
    const published = publisher.socket.frames.filter(({ type }) => type === 'chat');
    const missed = published.findIndex(({ id }) => id === position);
    expect(missed).toBeGreaterThanOrEqual(0);
    expect(rest).toEqual(published.slice(missed + 1));
  });

  test('what was published before a leave reaches whoever leaves, and nothing after it', async () => {
    const pod = new TestPod();
    const publisher = pod.connect('p');
    const member = pod.connect('m', { room: 'r' });
    await turns();
    publisher.send({ room: 'r', data: 'before' });
    member.send({ type: 'leave', room: 'r' });
    publisher.send({ room: 'r', data: 'after' });
    await turns();
    const kinds = member.socket.frames.map(({ type, event, data }) => (type === 'chat' ? data : event));
    expect(kinds).toEqual(['connected', 'joined', 'before', 'left']);
  });

  test('a room is dropped with its last member', async () => {
    const pod = new TestPod();
    const first = pod.connect('a', { room: 'r' });
    const second = pod.connect('b', { room: 'r' });
    await turns();
    expect(pod.pod.hub.roomCount).toBe(1);
    first.send({ type: 'leave' });
    await turns();
    expect(pod.pod.hub.roomCount).toBe(1);
    pod.gateway.closed(second.connection, 1006);
    expect(pod.pod.hub.roomCount).toBe(0);
    expect(pod.pod.hub.connectionCount).toBe(1);
  });
});

describe('the order of commands', () => {
  test('frames that come while the room of the address is being joined are carried out after it', async () => {
    const pod = new TestPod();
    const alice = pod.connect('alice', { room: 'r' });
    alice.send({ data: 1, ref: 'one' });
    alice.send({ type: 'ping', ref: 'two' });
    await turns();
    const seen = alice.socket.frames.map(({ type, event, data }) => event ?? (type === 'chat' ? data : type));
    expect(seen.slice(0, 3)).toEqual(['connected', 'joined', 1]);
    expect(new Set(seen.slice(3))).toEqual(new Set(['ack', 'pong']));
  });

  test('a client whose commands pile up behind one in progress is not read meanwhile', async () => {
    const pod = new TestPod();
    const alice = pod.connect('alice', { room: 'r' });
    const reading: boolean[] = [];
    Object.assign(alice.socket, { pause: () => reading.push(false), resume: () => reading.push(true) });
    for (let n = 0; n < 40; n += 1) alice.send({ data: n });
    await turns();
    expect(reading).toEqual([false, true]);
    const chats = alice.socket.frames.filter(({ type }) => type === 'chat').map(({ data }) => data);
    expect(chats).toEqual(Array.from({ length: 40 }, (_, n) => n));
  });
});

test('a client that publishes and closes at once has published, also while its room is being joined', async () => {
  const pod = new TestPod();
  const bob = pod.connect('bob', { room: 'r' });
  await turns();
  const alice = pod.connect('alice', { room: 'r' });
  alice.send({ data: 'said' });
  pod.gateway.closed(alice.connection, 1000);
  await turns();
  expect(bob.socket.frames.filter(({ type }) => type === 'chat').map(({ data }) => data)).toEqual(['said']);
});
