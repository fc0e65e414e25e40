import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { channelDialect, dialectOfFirstFrame, messageDialect } from '../../src/protocol/dialects.ts';
import type { Decoded } from '../../src/protocol/command.ts';
import type { Dialect } from '../../src/protocol/dialect.ts';
import { ERRORS } from '../../src/protocol/error-codes.ts';

const RUNS = { numRuns: 2_000 };
const MESSAGE_TYPES = [
  'chat',
  'notification',
  'join',
  'leave',
  'presence',
  'ping',
  'system',
  'error',
  'ack',
  'pong',
];
const CHANNEL_TYPES = [
  'subscribe',
  'unsubscribe',
  'broadcast',
  'presence_join',
  'presence_update',
  'presence_leave',
];

/** Frames that are nearly right: known names, values of any kind. */
const nearlyFrame = fc
  .record(
    {
      type: fc.oneof(fc.constantFrom(...MESSAGE_TYPES, ...CHANNEL_TYPES), fc.jsonValue()),
      room: fc.oneof(fc.constantFrom('r', '', '@global'), fc.jsonValue()),
      channel: fc.oneof(fc.constantFrom('r', '@global', '@direct'), fc.jsonValue()),
      data: fc.jsonValue(),
      payload: fc.jsonValue(),
      listen: fc.oneof(fc.constant(['broadcast', 'presence']), fc.jsonValue()),
      event: fc.jsonValue(),
      to: fc.oneof(fc.constantFrom('bob', 'conn:1', 'system'), fc.jsonValue()),
      ref: fc.oneof(fc.string(), fc.jsonValue()),
      ephemeral: fc.oneof(fc.boolean(), fc.jsonValue()),
      last_id: fc.jsonValue(),
      history: fc.oneof(fc.integer(), fc.jsonValue()),
      id: fc.jsonValue(),
      from: fc.jsonValue(),
      timestamp: fc.jsonValue(),
    },
    { requiredKeys: [] },
  )
  .map((frame) => JSON.stringify(frame));

const anyFrame = fc.oneof(
  nearlyFrame,
  fc.json(),
  fc.string({ unit: 'binary' }),
  fc.uint8Array().map((bytes) => Buffer.from(bytes).toString()),
);

function expectCommandOrListedError(decoded: Decoded): void {
  if ('command' in decoded) expect(typeof decoded.command.kind).toBe('string');
  else expect(Object.keys(ERRORS)).toContain(decoded.rejection.code);
}

describe.each([messageDialect, channelDialect])('decoding the $name dialect', (dialect: Dialect) => {
  test('any text decodes to a command or a listed error', () => {
    fc.assert(
      fc.property(anyFrame, (frame) => expectCommandOrListedError(dialect.decode(frame))),
      RUNS,
    );
  });

  test('no frame of a client causes an internal error', () => {
    fc.assert(
      fc.property(nearlyFrame, (frame) => {
        const decoded = dialect.decode(frame);
        expect('rejection' in decoded ? decoded.rejection.code : 'none').not.toBe('internal');
      }),
      RUNS,
    );
  });

  test('the command contains neither id, from nor timestamp of the client', () => {
    const frame = {
      type: 'chat',
      channel: 'r',
      room: 'r',
      data: 1,
      id: 'forged',
      from: 'forged',
      timestamp: 'forged',
    };
    const type = dialect === messageDialect ? 'chat' : 'broadcast';
    const decoded = dialect.decode(JSON.stringify({ ...frame, type }));
    expect('command' in decoded).toBe(true);
    expect(JSON.stringify(decoded)).not.toContain('forged');
  });

  test('data that is nested too deeply is refused', () => {
    const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;
    const decoded = dialect.decode(
      `{"type":"${dialect === messageDialect ? 'chat' : 'broadcast'}","channel":"r","data":${deep},"payload":${deep}}`,
    );
    expectCommandOrListedError(decoded);
    expect(decoded).toMatchObject({ rejection: { code: 'invalid_message' } });
  });

  test('data passes through unchanged', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (data) => {
        const type = dialect === messageDialect ? 'chat' : 'broadcast';
        const decoded = dialect.decode(
          JSON.stringify({ type, channel: 'r', room: 'r', data, payload: data }),
        );
        const text =
          'command' in decoded && decoded.command.kind === 'publish' ? decoded.command.data : 'none';
        expect(text).toBe(JSON.stringify(data));
      }),
      RUNS,
    );
  });
});

describe('the message dialect', () => {
  const decode = (frame: object): Decoded => messageDialect.decode(JSON.stringify(frame));

  test.each([
    ['no type', { data: 1 }],
    ['an empty type', { type: '', data: 1 }],
    ['an empty room', { room: '', data: 1 }],
    ['a room that is null', { room: null, data: 1 }],
    ['fields it does not know', { data: 1, colour: 'red' }],
  ])('decodes a frame with %s as a chat', (_, frame) => {
    expect(decode(frame)).toEqual({
      command: {
        kind: 'publish',
        type: 'chat',
        room: undefined,
        event: undefined,
        data: '1',
        ephemeral: false,
      },
    });
  });

  test('decodes absent data as null', () => {
    expect(decode({ type: 'chat' })).toMatchObject({ command: { data: 'null' } });
  });

  test('finds the room of a join in its data too', () => {
    expect(decode({ type: 'join', data: { room: 'r' } })).toMatchObject({
      command: { kind: 'join', room: 'r' },
    });
  });

  test.each([
    ['invalid_json', '['],
    ['invalid_json', '[]'],
    ['invalid_json', 'null'],
    ['invalid_json', '"chat"'],
    ['unknown_type', '{"type":"shout"}'],
    ['unknown_type', '{"type":"subscribe","channel":"r"}'],
    ['invalid_message', '{"type":1}'],
    ['invalid_message', '{"type":"chat","ref":""}'],
    ['invalid_message', `{"type":"chat","ref":"${'x'.repeat(65)}"}`],
    ['invalid_message', '{"type":"chat","ref":1}'],
    ['invalid_message', '{"type":"chat","event":1}'],
    ['invalid_message', '{"type":"chat","ephemeral":"yes"}'],
    ['invalid_message', '{"type":"chat","to":"bob","room":"r"}'],
    ['invalid_message', '{"type":"chat","to":"system"}'],
    ['invalid_message', '{"type":"chat","to":""}'],
    ['invalid_message', '{"type":"chat","to":null}'],
    ['invalid_message', '{"type":"chat","to":["bob"]}'],
    ['invalid_message', '{"type":"notification","room":"","to":""}'],
    ['invalid_message', '{"type":"chat","to":"conn:"}'],
    ['invalid_message', '{"type":"join","room":"r","history":-1}'],
    ['invalid_message', '{"type":"join","room":"r","members":"no"}'],
    ['invalid_message', '{"type":"join","room":"r","history":1.5}'],
    ['invalid_message', '{"type":"join","room":"r","last_id":1}'],
    ['invalid_message', '{"type":"presence","room":"r","data":{"status":"busy"}}'],
    ['invalid_message', '{"type":"presence","room":"r","data":{"meta":[]}}'],
    ['invalid_message', '{"type":"presence","room":"r","data":"away"}'],
    ['invalid_message', '{"type":"presence","room":"r","data":["away"]}'],
    ['invalid_message', '{"type":"presence","room":"r","data":false}'],
    ['invalid_message', '{"type":"join","data":"r"}'],
    ['invalid_message', '{"type":"leave","data":["r"]}'],
    ['invalid_message', '{"type":"auth","data":"token"}'],
    ['invalid_message', `{"type":"presence","room":"r","data":{"meta":{"m":"${'x'.repeat(4_096)}"}}}`],
    ['invalid_room', '{"type":"chat","room":"-r"}'],
    ['invalid_room', `{"type":"chat","room":"${'r'.repeat(129)}"}`],
    ['invalid_room', '{"type":"chat","room":7}'],
    ['type_not_allowed', '{"type":"system"}'],
    ['type_not_allowed', '{"type":"ack","ref":"1"}'],
  ])('answers %s to %s', (code, frame) => {
    expect(messageDialect.decode(frame)).toMatchObject({ rejection: { code } });
  });

  test('returns the ref and the room of a frame that it rejects', () => {
    expect(decode({ type: 'shout', ref: '7', room: 'r' })).toMatchObject({ ref: '7', room: 'r' });
  });

  test.each(['-r', 'a room', 'r'.repeat(1_024), '"\u0000"'])(
    'returns the room %j, which is not a valid name',
    (room) => {
      for (const type of ['join', 'chat', 'presence', 'leave']) {
        const decoded = decode({ type, room });
        expect(decoded).toMatchObject({ rejection: { code: 'invalid_room' }, room });
      }
    },
  );

  test('accepts absent and null data in a command that reads its data', () => {
    for (const data of [undefined, null]) {
      expect(decode({ type: 'presence', room: 'r', data })).toMatchObject({ command: { kind: 'presence' } });
      expect(decode({ type: 'join', data })).toMatchObject({ command: { kind: 'join' } });
    }
  });

  test('does not take a type from a __proto__ in the frame', () => {
    expect(messageDialect.decode('{"__proto__":{"type":"ping"},"data":1}')).toMatchObject({
      command: { kind: 'publish' },
    });
  });
});

describe('the channel dialect', () => {
  test.each([
    ['invalid_room', '{"type":"subscribe"}'],
    ['invalid_room', '{"type":"broadcast","channel":"@direct"}'],
    ['invalid_room', '{"type":"presence_join","channel":"@global"}'],
    ['invalid_message', '{"type":"subscribe","channel":"r","listen":"broadcast"}'],
    ['invalid_message', '{"type":"subscribe","channel":"r","listen":["toString"]}'],
    ['invalid_message', '{"type":"presence_join","channel":"r","payload":"Alice"}'],
    ['unknown_type', '{"channel":"r"}'],
    ['unknown_type', '{"type":"chat","channel":"r"}'],
    ['type_not_allowed', '{"type":"presence_sync","channel":"r"}'],
  ])('answers %s to %s', (code, frame) => {
    expect(channelDialect.decode(frame)).toMatchObject({ rejection: { code } });
  });

  test.each(['bad channel', '@everybody', 'r'.repeat(129)])(
    'returns the channel %j, which is not a valid name',
    (channel) => {
      for (const type of ['subscribe', 'unsubscribe', 'broadcast', 'presence_join', 'presence_leave']) {
        const decoded = channelDialect.decode(JSON.stringify({ type, channel }));
        expect(decoded).toMatchObject({ rejection: { code: 'invalid_room' }, room: channel });
      }
      for (const none of [7, null, '', 'r'.repeat(1_025)]) {
        const decoded = channelDialect.decode(JSON.stringify({ type: 'subscribe', channel: none }));
        expect(decoded).toMatchObject({ rejection: { code: 'invalid_room' }, room: undefined });
      }
    },
  );

  test('names a broadcast without an event message', () => {
    expect(channelDialect.decode('{"type":"broadcast","channel":"r"}')).toMatchObject({
      command: { event: 'message', data: 'null' },
    });
  });

  test('is recognized by a first frame that has a channel, and by no other', () => {
    expect(dialectOfFirstFrame('{"type":"subscribe","channel":"r"}').name).toBe('guessed-channel');
    expect(dialectOfFirstFrame('{"type":"join","room":"r"}').name).toBe('message');
    expect(dialectOfFirstFrame('{"__proto__":{"channel":"r"}}').name).toBe('message');
    expect(dialectOfFirstFrame('channel').name).toBe('message');
  });
});
