import { describe, expect, test } from 'vitest';
import { asyncapi } from '../../src/http/asyncapi/document.ts';
import { CHANNEL_COMMANDS, CHANNEL_EVENTS } from '../../src/http/asyncapi/channel-frames.ts';
import { decodeChannelFrame } from '../../src/protocol/channel-decode.ts';
import { decodeMessageFrame } from '../../src/protocol/message-decode.ts';
import { delivered, world } from './world.ts';
import type { Frame } from '../../src/http/asyncapi/frame.ts';
import { MESSAGE_COMMANDS } from '../../src/http/asyncapi/message-commands.ts';
import { MESSAGE_EVENTS } from '../../src/http/asyncapi/message-frames.ts';
import { channelDialect } from '../../src/protocol/dialects.ts';
import { readFileSync } from 'node:fs';
import { unfinishedTexts } from './sentences.ts';
import { z } from 'zod';

type Frames = Readonly<Record<string, Frame>>;
interface Reference {
  readonly $ref: string;
}

/** Fails unless the frame is of exactly one of the kinds. */
function expectOneKind(frame: unknown, frames: Frames): void {
  const kinds = Object.entries(frames)
    .filter(([, { schema }]) => z.fromJSONSchema(schema).safeParse(frame).success)
    .map(([name]) => name);
  expect({ frame, kinds }).toEqual({ frame, kinds: [expect.any(String) as string] });
}

/** The frames in the section of docs/protocol.md with these headings; `…` stands for anything. */
function documented(...headings: string[]): { type: string }[] {
  let text = readFileSync('docs/protocol.md', 'utf8');
  for (const heading of headings) text = text.slice(text.indexOf(`\n${heading}\n`) + 1);
  const end = text.slice(1).search(headings.length > 1 ? /\n### / : /\n## /);
  const blocks = text.slice(0, end === -1 ? undefined : end + 1).matchAll(/```json\n([^]*?)```/g);
  const lines = [...blocks].flatMap(([, block = '']) => block.trim().split('\n'));
  return lines.map(
    (line) =>
      JSON.parse(line.replaceAll('"timestamp":"…"', '"timestamp":"2026-01-01T00:00:00.000Z"')) as {
        type: string;
      },
  );
}

const SECTIONS: [string, string, Frames][] = [
  ['## Message dialect', '### What a client sends', MESSAGE_COMMANDS],
  ['## Message dialect', '### What the server sends', MESSAGE_EVENTS],
  ['## Channel dialect', '### What a client sends', CHANNEL_COMMANDS],
  ['## Channel dialect', '### What the server sends', CHANNEL_EVENTS],
];

describe('the AsyncAPI document', () => {
  test.each(SECTIONS)('describes each frame of docs/protocol.md, %s, %s', (dialect, heading, frames) => {
    const examples = documented(dialect, heading);
    expect(examples.length).toBeGreaterThan(2);
    for (const example of examples) {
      expectOneKind(example, frames);
    }
  });

  test('describes the frames for clients that named the channel dialect', () => {
    const examples = documented('## Channel dialect', '### More, on request');
    expect(examples.length).toBeGreaterThan(5);
    for (const example of examples) {
      expectOneKind(example, { ...CHANNEL_EVENTS, ...CHANNEL_COMMANDS });
    }
  });

  test.each([
    ...Object.entries({ ...MESSAGE_COMMANDS, ...MESSAGE_EVENTS }),
    ...Object.entries({ ...CHANNEL_COMMANDS, ...CHANNEL_EVENTS }),
  ])('has examples of %s that its schema allows', (_, { schema, examples }) => {
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      expect(z.fromJSONSchema(schema).safeParse(example).error).toBeUndefined();
    }
  });

  test('gives examples of commands that the server understands', () => {
    for (const { examples } of Object.values(MESSAGE_COMMANDS)) {
      for (const example of examples) {
        expect(decodeMessageFrame(JSON.stringify(example))).toHaveProperty('command');
      }
    }
    for (const { examples } of Object.values(CHANNEL_COMMANDS)) {
      for (const example of examples) {
        expect(decodeChannelFrame(JSON.stringify(example))).toHaveProperty('command');
      }
    }
  });

  test('describes the frames that sockets really receive', async () => {
    const { test, post } = world({ limits: { maxRoomsPerConnection: 2 } });
    const alice = test.connect('alice', { room: 'r' });
    const carol = test.connect('carol', { room: 'r' }, channelDialect);
    await delivered();
    const said = [
      { data: 1, ref: '1' },
      { to: 'alice', data: 2 },
      { type: 'presence', room: 'r', data: { status: 'away', meta: { a: 1 } } },
      { type: 'ping' },
      { type: 'join', room: 's', last_id: 'x', ref: '2' },
      { type: 'leave', room: 's' },
      { type: 'leave', room: 'unknown', ref: '3' },
      { type: 'auth', data: { token: 't' } },
      { type: 'pong' },
    ];
    for (const frame of said) alice.send(frame);
    const channelSaid = [
      { type: 'broadcast', channel: 'r', payload: 1, ref: '1' },
      { type: 'subscribe', channel: 's', listen: ['presence'], ref: '2' },
      { type: 'presence_join', channel: 's', payload: { a: 1 } },
      { type: 'presence_leave', channel: 's' },
      { type: 'unsubscribe', channel: 's', ref: '3' },
      { type: 'subscribe', channel: '@global', ref: '4' },
      { type: 'ack', channel: 's' },
    ];
    for (const frame of channelSaid) carol.send(frame);
    await delivered();
    await post('/api/broadcast', { data: 1 });
    await post('/api/rooms/r/messages', { data: 1, ephemeral: true });
    await delivered();
    for (const frame of alice.socket.frames) {
      expectOneKind(frame, MESSAGE_EVENTS);
    }
    for (const frame of carol.socket.frames) {
      expectOneKind(frame, CHANNEL_EVENTS);
    }
    expect(new Set(alice.socket.frames.map(({ type }) => type)).size).toBeGreaterThan(5);
    expect(new Set(carol.socket.frames.map(({ type }) => type)).size).toBeGreaterThan(5);
  });

  test('has an operation for every frame, and no dangling reference', () => {
    const document = asyncapi('0.0.0');
    const text = JSON.stringify(document);
    const references = [...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path);
    const missing = references.filter((path) => at(document, path.split('/')) === undefined);
    expect(missing).toEqual([]);
    const operations = Object.values(document['operations'] as Record<string, { messages: Reference[] }>);
    const used = operations.flatMap(({ messages }) => messages.map(({ $ref }) => $ref));
    for (const channel of ['message', 'channel']) {
      const messages = at(document, ['channels', channel, 'messages']) as object;
      for (const name of Object.keys(messages)) {
        expect(used).toContain(`#/channels/${channel}/messages/${name}`);
      }
    }
  });
});

test('every summary and description in the AsyncAPI document is a sentence', () => {
  expect(unfinishedTexts(asyncapi('0.0.0'))).toEqual([]);
});

test('every type that a generated client makes of the AsyncAPI document has a unique name', () => {
  const document = asyncapi('0.0.0');
  const { schemas } = document['components'] as { schemas: Record<string, Node> };
  const titles: string[] = [];
  const walk = (node: Node, where: string): void => {
    const isType = 'properties' in node || 'items' in node || 'enum' in node || node.type === 'object';
    expect({ where, isNamed: !isType || typeof node.title === 'string' }).toEqual({ where, isNamed: true });
    if (node.title !== undefined) titles.push(node.title);
    for (const [name, part] of Object.entries(node.properties ?? {})) walk(part, `${where}.${name}`);
    if (node.items !== undefined) walk(node.items, `${where}[]`);
  };
  for (const [name, schema] of Object.entries(schemas)) {
    expect(schema.title).toBe(name);
    walk(schema, name);
  }
  for (const name of Object.keys(document['channels'] as object))
    walk(at(document, ['channels', name, 'bindings', 'ws', 'query']) as Node, `${name}.query`);
  expect(titles.length).toBeGreaterThan(60);
  for (const title of titles) expect(title).toMatch(/^(Message|Channel)[A-Za-z]+$/);
  expect(new Set(titles).size).toBe(titles.length);
});

/** A schema, as far as the test looks into it. */
interface Node {
  readonly type?: string;
  readonly title?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
}

function at(value: unknown, path: readonly string[]): unknown {
  let part = value;
  for (const name of path) part = (part as Record<string, unknown> | undefined)?.[name];
  return part;
}
