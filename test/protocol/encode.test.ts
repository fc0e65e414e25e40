import * as fc from 'fast-check';
import { type MessageDraft, decodeBody, encodeBody, withId } from '../../src/protocol/message.ts';
import { describe, expect, test } from 'vitest';
import { channelDialect, guessedChannelDialect, messageDialect } from '../../src/protocol/dialects.ts';
import type { ServerEvent } from '../../src/protocol/event.ts';

const RUNS = { numRuns: 1_000 };
const text = fc.string({ unit: 'binary', minLength: 1 });
const draft: fc.Arbitrary<MessageDraft> = fc.record(
  {
    type: fc.constantFrom('chat' as const, 'notification' as const),
    room: fc.stringMatching(/^[a-z][a-z0-9_.:@-]{0,20}$/),
    from: text,
    event: text,
    to: text,
    data: fc.jsonValue().map((value) => JSON.stringify(value)),
    timestamp: fc
      .date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) })
      .map((date) => date.toISOString()),
    ephemeral: fc.constant(true),
  },
  { requiredKeys: ['type', 'from', 'data', 'timestamp'] },
);

describe('a message', () => {
  test('decodes to what was encoded', () => {
    fc.assert(
      fc.property(draft, (written) => {
        expect(decodeBody('e.1-0', encodeBody(written))).toEqual({ ...written, id: 'e.1-0' });
      }),
      RUNS,
    );
  });

  test('is JSON in the message dialect, its data unchanged', () => {
    fc.assert(
      fc.property(draft, (written) => {
        const frame: unknown = JSON.parse(withId('e.1-0', encodeBody(written)));
        expect(frame).toEqual({ ...written, id: 'e.1-0', data: JSON.parse(written.data) });
      }),
      RUNS,
    );
  });

  test('is a broadcast in the channel dialect, with an id only for clients that named the dialect', () => {
    fc.assert(
      fc.property(draft, (written) => {
        const body = encodeBody(written);
        const outgoing = { id: 'e.1-0', body, decoded: () => decodeBody('e.1-0', body) };
        const plain = {
          type: 'broadcast',
          channel: written.room ?? (written.to === undefined ? '@global' : '@direct'),
          event: written.event ?? written.type,
          payload: JSON.parse(written.data) as unknown,
          ...(written.from === 'system' ? {} : { user_id: written.from }),
          ts: Date.parse(written.timestamp),
        };
        expect(JSON.parse(guessedChannelDialect.message(outgoing))).toEqual(plain);
        expect(JSON.parse(channelDialect.message(outgoing))).toMatchObject({ ...plain, id: 'e.1-0' });
      }),
      RUNS,
    );
  });
});

const member = { userId: 'al"ice', status: 'away', meta: '{"a":1}', updatedAt: 5 } as const;
const at = Date.UTC(2026, 0, 1);
const EVENTS: ServerEvent[] = [
  { kind: 'connected', connectionId: 'c', userId: 'al"ice', heartbeatSeconds: 25, maxMessageBytes: 128, at },
  { kind: 'joined', room: 'r', position: 'e.1-0', count: 1, members: [member], replayed: 0, at },
  { kind: 'left', room: 'r', at },
  { kind: 'sync', room: 'r', members: [member] },
  { kind: 'ack', ref: '"1"', id: 'e.1-0', room: 'r' },
  { kind: 'error', rejection: { code: 'invalid_room', error: 'no "room"' } },
  { kind: 'presence', room: 'r', change: 'leave', member, at },
  { kind: 'members', room: 'r', count: 9, at },
  { kind: 'recovered', room: 'r', recovered: false, reason: 'trimmed', replayed: 40, at },
  { kind: 'pong', at },
];

describe('events', () => {
  test.each(EVENTS)('$kind is JSON in every dialect that carries it', (event) => {
    for (const dialect of [messageDialect, channelDialect, guessedChannelDialect]) {
      const frame = dialect.event(event);
      if (frame !== undefined) expect(JSON.parse(frame)).toHaveProperty('type');
    }
    expect(messageDialect.event(event) ?? channelDialect.event(event)).toBeDefined();
  });

  test('a client that did not name the channel dialect receives only the seed’s frames', () => {
    const seen = EVENTS.filter(({ kind }) => kind !== 'ack')
      .map((event) => guessedChannelDialect.event(event))
      .filter((frame) => frame !== undefined)
      .map((frame) => (JSON.parse(frame) as { type: string }).type);
    expect(seen).toEqual(['presence_sync', 'presence_leave']);
  });

  test('a frame with a ref is answered, also to a client that did not name the dialect', () => {
    for (const kind of ['joined', 'left', 'ack', 'error'] as const) {
      const event = EVENTS.find((one) => one.kind === kind);
      const frame = guessedChannelDialect.event({ ...event, ref: '7' } as ServerEvent);
      expect(JSON.parse(frame ?? '{}')).toMatchObject({ ref: '7' });
    }
  });

  test('a member list does not change the frame around it', () => {
    const joined = { ...EVENTS[1], ref: '"data":{' } as ServerEvent;
    expect(JSON.parse(messageDialect.event(joined) ?? '')).toEqual({
      type: 'system',
      event: 'joined',
      room: 'r',
      from: 'system',
      ref: '"data":{',
      timestamp: '2026-01-01T00:00:00.000Z',
      data: {
        position: 'e.1-0',
        count: 1,
        replayed: 0,
        members: [{ user_id: 'al"ice', status: 'away', meta: { a: 1 }, updated_at: 5 }],
      },
    });
  });

  test.each(['a', 'ü', '語', '🙂'])(
    'a member list ends at 256 KiB, also with metas full of %s',
    (character) => {
      const meta = JSON.stringify({ text: character.repeat(1_000) });
      const members = Array.from({ length: 500 }, (_, n) => ({ ...member, userId: `user-${n}`, meta }));
      const joined = {
        kind: 'joined',
        room: 'r',
        position: '1',
        count: 500,
        members,
        replayed: 0,
        at,
      } as const;
      const whole = [
        messageDialect.event(joined),
        messageDialect.event({ kind: 'census', room: 'r', count: 500, members, at }),
        channelDialect.event({ kind: 'sync', room: 'r', members }),
        guessedChannelDialect.event({ kind: 'sync', room: 'r', members }),
      ];
      for (const frame of whole) {
        const { data, users } = JSON.parse(frame ?? '') as {
          data?: { members: object[]; count: number };
          users?: object[];
        };
        const listed = data?.members ?? users ?? [];
        const bytes = Buffer.byteLength(JSON.stringify(listed));
        expect(bytes).toBeLessThanOrEqual(262_144);
        // One more would not have fitted.
        expect(bytes + Buffer.byteLength(JSON.stringify(listed[0])) + 1).toBeGreaterThan(262_144);
        expect(data?.count ?? 500).toBe(500);
      }
    },
  );
});
