import { afterAll, describe, expect, test } from 'vitest';
import { Caller, type Chop, CHOPS, send } from './caller.ts';
import { closing, fragments, frame, OPCODE, pieces, text } from './wire.ts';
import { expectUnharmed } from './pod-state.ts';
import { startPod } from '../support/pod.ts';

/**
 * The cases of the Autobahn test suite, chapters 1 to 10, as far as they are about a server without compression; the
 * numbers are Autobahn's. This server echoes no frames: a chat to the client's own room comes back and stands for
 * the echo, and what would be an empty or a binary echo there is what docs/protocol.md says here.
 */
const LIMIT = 2 ** 20;
const pod = await startPod({ MAX_MESSAGE_BYTES: String(LIMIT), HISTORY_SIZE: '1' });
afterAll(() => pod.stop());

describe('1 Framing:', () => {
  test('1.1.1 an empty text message is answered as what it is here: no JSON', async () => {
    const caller = await Caller.join(pod);
    await send(caller, [text('')]);
    await caller.expectError('invalid_json');
    await caller.expectHealthy();
  });

  test.each([
    ['1.1.2', 125],
    ['1.1.3', 126],
    ['1.1.4', 127],
    ['1.1.5', 128],
    ['1.1.6', 65_535],
    ['1.1.7', 65_536],
  ])('%s a text message of %d bytes', async (_, size) => {
    const caller = await Caller.join(pod);
    const chat = caller.sized(size);
    await send(caller, [text(chat)]);
    await caller.expectEchoOf(chat);
    await caller.expectHealthy();
  });

  test('1.1.8 a text message of 65536 bytes in chops of 997', async () => {
    const caller = await Caller.join(pod);
    const chat = caller.sized(65_536);
    await caller.peer.sendChopped(pieces(text(chat), 997));
    await caller.expectEchoOf(chat);
    await caller.expectHealthy();
  });

  test.each([
    ['1.2.1', 0],
    ['1.2.2', 125],
    ['1.2.3', 126],
    ['1.2.4', 127],
    ['1.2.5', 128],
    ['1.2.6', 65_535],
    ['1.2.7', 65_536],
  ])('%s a binary message of %d bytes: 1003', async (_, size) => {
    const caller = await Caller.join(pod);
    await send(caller, [frame(OPCODE.binary, Buffer.alloc(size, 0xfe))]);
    await caller.expectClose(1003);
  });
});

describe('2 Pings and pongs:', () => {
  test.each([
    ['2.1', 'without a payload', Buffer.alloc(0)],
    ['2.2', 'with text', Buffer.from('Hello, world!')],
    ['2.3', 'with bytes that are not UTF-8', Buffer.from('00fffefdfcfb00ff', 'hex')],
    ['2.4', 'of 125 bytes', Buffer.alloc(125, 0xfe)],
  ])('%s a ping %s comes back as it was', async (_, __, payload) => {
    const caller = await Caller.join(pod);
    await send(caller, [frame(OPCODE.ping, payload)]);
    await caller.expectPong(payload);
    await caller.expectHealthy();
  });

  test('2.5 a ping of 126 bytes: 1002', async () => {
    const caller = await Caller.join(pod);
    await send(caller, [frame(OPCODE.ping, Buffer.alloc(126, 0xfe))]);
    await caller.expectClose(1002);
  });

  test('2.6 a ping of 125 bytes, byte by byte', async () => {
    const caller = await Caller.join(pod);
    const payload = Buffer.alloc(125, 0xfe);
    await send(caller, [frame(OPCODE.ping, payload)], 'byte by byte');
    await caller.expectPong(payload);
    await caller.expectHealthy();
  });

  test.each([
    ['2.7', ''],
    ['2.8', 'unsolicited'],
  ])('%s a pong that nobody asked for (%j) is ignored', async (_, payload) => {
    const caller = await Caller.join(pod);
    await send(caller, [frame(OPCODE.pong, payload)]);
    await caller.expectHealthy();
  });

  test('2.9 a pong that nobody asked for, then a ping', async () => {
    const caller = await Caller.join(pod);
    await send(caller, [frame(OPCODE.pong, 'unsolicited'), frame(OPCODE.ping, 'asked')]);
    await caller.expectPong('asked');
    await caller.expectHealthy();
  });

  test.each<[string, Chop]>([
    ['2.10', 'all at once'],
    ['2.11', 'byte by byte'],
  ])('%s ten pings, %s, are answered in order', async (_, chop) => {
    const caller = await Caller.join(pod);
    const payloads = Array.from({ length: 10 }, (__, n) => `payload-${n}`);
    await send(
      caller,
      payloads.map((payload) => frame(OPCODE.ping, payload)),
      chop,
    );
    for (const payload of payloads) await caller.expectPong(payload);
    await caller.expectHealthy();
  });
});

describe('3 Reserved bits:', () => {
  test('3.1 RSV = 1 in a text message: 1002', async () => {
    const caller = await Caller.join(pod);
    await send(caller, [text(caller.chat('x'), { reserved: 1 })]);
    await caller.expectClose(1002);
  });

  test.each<[string, number, Chop]>([
    ['3.2', 2, 'all at once'],
    ['3.3', 3, 'frame by frame'],
    ['3.4', 4, 'byte by byte'],
  ])('%s RSV = %d after a good message, before a ping, %s: 1002, and no pong', async (_, reserved, chop) => {
    const caller = await Caller.join(pod);
    // Sent ahead: what an early close does to answers that are still on their way is not the question here.
    await send(caller, [text(caller.chat('good'))], chop);
    await caller.expectEcho('good');
    await send(caller, [text(caller.chat('bad'), { reserved }), frame(OPCODE.ping)], chop);
    await caller.expectClose(1002);
  });

  test.each([
    ['3.5', 5, 'binary', OPCODE.binary],
    ['3.6', 6, 'ping', OPCODE.ping],
    ['3.7', 7, 'close', OPCODE.close],
  ])('%s RSV = %d in a %s frame: 1002', async (_, reserved, __, opcode) => {
    const caller = await Caller.join(pod);
    await send(caller, [frame(opcode, '', { reserved })]);
    await caller.expectClose(1002);
  });
});

describe('4 Opcodes:', () => {
  test.each([
    ['4.1.1', 3],
    ['4.1.2', 4],
    ['4.1.3', 5],
    ['4.1.4', 6],
    ['4.1.5', 7],
    ['4.2.1', 11],
    ['4.2.2', 12],
    ['4.2.3', 13],
    ['4.2.4', 14],
    ['4.2.5', 15],
  ])('%s the reserved opcode %d, bare, with a payload, and after a good message: 1002', async (_, opcode) => {
    for (const payload of ['', 'reserved opcode payload']) {
      const caller = await Caller.join(pod);
      await send(caller, [frame(opcode, payload), frame(OPCODE.ping)]);
      await caller.expectClose(1002);
    }
    const caller = await Caller.join(pod);
    await send(caller, [text(caller.chat('good'))]);
    await caller.expectEcho('good');
    await send(caller, [frame(opcode, 'x'), frame(OPCODE.ping)], 'byte by byte');
    await caller.expectClose(1002);
  });
});

describe('5 Fragmentation:', () => {
  test.each([
    ['5.1', 'ping', OPCODE.ping],
    ['5.2', 'pong', OPCODE.pong],
  ])('%s a %s in two fragments: 1002', async (_, __, opcode) => {
    const caller = await Caller.join(pod);
    await send(caller, fragments(['fragment1', 'fragment2'], opcode));
    await caller.expectClose(1002);
  });

  test.each<[string, Chop]>([
    ['5.3', 'all at once'],
    ['5.4', 'frame by frame'],
    ['5.5', 'byte by byte'],
  ])('%s a text message in two fragments, %s', async (_, chop) => {
    const caller = await Caller.join(pod);
    await send(caller, fragments(pieces(caller.chat('fragment1fragment2'), 40)), chop);
    await caller.expectEcho('fragment1fragment2');
    await caller.expectHealthy();
  });

  test.each<[string, Chop]>([
    ['5.6', 'all at once'],
    ['5.7', 'frame by frame'],
    ['5.8', 'byte by byte'],
  ])('%s a ping between two fragments, %s: first the pong, then the message', async (_, chop) => {
    const caller = await Caller.join(pod);
    const [first, second] = fragments(pieces(caller.chat('fragment1fragment2'), 40)) as [Buffer, Buffer];
    await send(caller, [first, frame(OPCODE.ping, 'ping payload'), second], chop);
    await caller.expectPong('ping payload');
    await caller.expectEcho('fragment1fragment2');
    await caller.expectHealthy();
  });

  test.each<[string, boolean, Chop]>([
    ['5.9', true, 'all at once'],
    ['5.10', true, 'frame by frame'],
    ['5.11', true, 'byte by byte'],
    ['5.12', false, 'all at once'],
    ['5.13', false, 'frame by frame'],
    ['5.14', false, 'byte by byte'],
  ])('%s a continuation of nothing (FIN %s), then a message, %s: 1002', async (_, fin, chop) => {
    const caller = await Caller.join(pod);
    const nothing = frame(OPCODE.continuation, 'non-continuation payload', { fin });
    await send(caller, [nothing, text(caller.chat('Hello, world!'))], chop);
    await caller.expectClose(1002);
  });

  test('5.15 a message in two fragments, a continuation of nothing, another message: 1002', async () => {
    const caller = await Caller.join(pod);
    await send(caller, fragments(pieces(caller.chat('fragmented'), 30)));
    await caller.expectEcho('fragmented');
    const nothing = frame(OPCODE.continuation, 'fragment3', { fin: false });
    await send(caller, [nothing, text(caller.chat('fragment4'))]);
    await caller.expectClose(1002);
  });

  test.each([
    ['5.16', false],
    ['5.17', true],
  ])('%s a continuation of nothing (FIN %s), a message in two fragments, twice: 1002', async (_, fin) => {
    const caller = await Caller.join(pod);
    const one = [
      frame(OPCODE.continuation, 'fragment1', { fin }),
      ...fragments(pieces(caller.chat('x'), 30)),
    ];
    await send(caller, [...one, ...one]);
    await caller.expectClose(1002);
  });

  test('5.18 a text message whose second fragment says text again: 1002', async () => {
    const caller = await Caller.join(pod);
    const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = pieces(caller.chat('fragment'), 30);
    await send(caller, [text(first, { fin: false }), text(second)]);
    await caller.expectClose(1002);
  });

  test.each<[string, Chop]>([
    ['5.19', 'frame by frame'],
    ['5.20', 'all at once'],
  ])('%s a message in five fragments with pings between them, %s', async (_, chop) => {
    const caller = await Caller.join(pod);
    const chat = caller.chat('fragment1fragment2fragment3fragment4fragment5');
    const [a, b, c, d, e] = fragments(pieces(chat, Math.ceil(chat.length / 5))) as [
      Buffer,
      Buffer,
      Buffer,
      Buffer,
      Buffer,
    ];
    await send(
      caller,
      [a, b, frame(OPCODE.ping, 'pongme 1!'), c, d, frame(OPCODE.ping, 'pongme 2!'), e],
      chop,
    );
    await caller.expectPong('pongme 1!');
    await caller.expectPong('pongme 2!');
    await caller.expectEchoOf(chat);
    await caller.expectHealthy();
  });
});

/** Cases of chapter 6: number, bytes in hexadecimal. */
const VALID_UTF8: readonly [string, string][] = [
  ['6.2.1', hex('Hello-µ@ßöäüàá-UTF-8!!')],
  ['6.5.1', hex('κόσμε')],
  ['6.5.2', hex('…κόσμε…')],
  ['6.5.3', hex('日本国、中华、민국')],
  ['6.5.4', hex('👋🏽 👩‍👩‍👧‍👦')],
  ['6.5.5', hex('\ue000\uf8ff')],
  ['6.6.2', 'ceba'],
  ['6.6.5', 'cebae1bdb9'],
  ['6.6.7', 'cebae1bdb9cf83'],
  ['6.6.9', 'cebae1bdb9cf83cebc'],
  ['6.6.11', 'cebae1bdb9cf83cebcceb5'],
  ['6.7.2', 'c280'],
  ['6.7.3', 'e0a080'],
  ['6.7.4', 'f0908080'],
  ['6.9.1', '7f'],
  ['6.9.2', 'dfbf'],
  ['6.9.3', 'efbfbf'],
  ['6.9.4', 'f48fbfbf'],
  ['6.11.1', 'ed9fbf'],
  ['6.11.2', 'ee8080'],
  ['6.11.3', 'efbfbd'],
  ['6.11.4', 'f48fbfbf'],
  ['6.22.1', 'efbfbe'],
  ['6.22.2', 'efbfbf'],
  ...Array.from({ length: 32 }, (_, n): [string, string] => [
    `6.22.${n + 3}`,
    hex(String.fromCodePoint(((n >> 1) + 1) * 0x1_0000 + 0xfffe + (n & 1))),
  ]),
  ...Array.from({ length: 7 }, (_, n): [string, string] => [
    `6.23.${n + 1}`,
    hex(String.fromCodePoint(0xfff9 + n)),
  ]),
];

const INVALID_UTF8: readonly [string, string][] = [
  ['6.3.1', 'cebae1bdb9cf83cebcceb5eda080656469746564'],
  ['6.6.1', 'ce'],
  ['6.6.3', 'cebae1'],
  ['6.6.4', 'cebae1bd'],
  ['6.6.6', 'cebae1bdb9cf'],
  ['6.6.8', 'cebae1bdb9cf83ce'],
  ['6.6.10', 'cebae1bdb9cf83cebcce'],
  ['6.8.1', 'f888808080'],
  ['6.8.2', 'fc8480808080'],
  ['6.10.1', 'f7bfbfbf'],
  ['6.10.2', 'fbbfbfbfbf'],
  ['6.10.3', 'fdbfbfbfbfbf'],
  ['6.11.5', 'f4908080'],
  ['6.12.1', '80'],
  ['6.12.2', 'bf'],
  ['6.12.3', '80bf'],
  ['6.12.4', '80bf80'],
  ['6.12.5', '80bf80bf'],
  ['6.12.6', '80bf80bf80'],
  ['6.12.7', '80bf80bf80bf'],
  ['6.12.8', bytesFrom(0x80, 0xbf)],
  ['6.13.1', bytesFrom(0xc0, 0xdf, '20')],
  ['6.13.2', bytesFrom(0xe0, 0xef, '20')],
  ['6.13.3', bytesFrom(0xf0, 0xf7, '20')],
  ['6.13.4', bytesFrom(0xf8, 0xfb, '20')],
  ['6.13.5', bytesFrom(0xfc, 0xfd, '20')],
  ['6.14.1', 'c0'],
  ['6.14.2', 'e080'],
  ['6.14.3', 'f08080'],
  ['6.14.4', 'f8808080'],
  ['6.14.5', 'fc80808080'],
  ['6.14.6', 'df'],
  ['6.14.7', 'efbf'],
  ['6.14.8', 'f7bfbf'],
  ['6.14.9', 'fbbfbfbf'],
  ['6.14.10', 'fdbfbfbfbf'],
  ['6.15.1', 'c0e080f08080f8808080fc80808080dfefbff7bfbffbbfbfbffdbfbfbfbf'],
  ['6.16.1', 'fe'],
  ['6.16.2', 'ff'],
  ['6.16.3', 'fefeffff'],
  ['6.17.1', 'c0af'],
  ['6.17.2', 'e080af'],
  ['6.17.3', 'f08080af'],
  ['6.17.4', 'f8808080af'],
  ['6.17.5', 'fc80808080af'],
  ['6.18.1', 'c1bf'],
  ['6.18.2', 'e09fbf'],
  ['6.18.3', 'f08fbfbf'],
  ['6.18.4', 'f887bfbfbf'],
  ['6.18.5', 'fc83bfbfbfbf'],
  ['6.19.1', 'c080'],
  ['6.19.2', 'e08080'],
  ['6.19.3', 'f0808080'],
  ['6.19.4', 'f880808080'],
  ['6.19.5', 'fc8080808080'],
  ['6.20.1', 'eda080'],
  ['6.20.2', 'edadbf'],
  ['6.20.3', 'edae80'],
  ['6.20.4', 'edafbf'],
  ['6.20.5', 'edb080'],
  ['6.20.6', 'edbe80'],
  ['6.20.7', 'edbfbf'],
  ['6.21.1', 'eda080edb080'],
  ['6.21.2', 'eda080edbfbf'],
  ['6.21.3', 'edadbfedb080'],
  ['6.21.4', 'edadbfedbfbf'],
  ['6.21.5', 'edae80edb080'],
  ['6.21.6', 'edae80edbfbf'],
  ['6.21.7', 'edafbfedb080'],
  ['6.21.8', 'edafbfedbfbf'],
];

function hex(characters: string): string {
  return Buffer.from(characters).toString('hex');
}

function bytesFrom(first: number, last: number, between = ''): string {
  let bytes = '';
  for (let byte = first; byte <= last; byte += 1) bytes += byte.toString(16) + between;
  return bytes;
}

describe('6 UTF-8:', () => {
  test.each([
    ['6.1.1', 'one empty frame', ['']],
    ['6.1.2', 'three empty fragments', ['', '', '']],
  ])('%s an empty message in %s is answered as what it is here: no JSON', async (_, __, parts) => {
    const caller = await Caller.join(pod);
    await send(caller, fragments(parts));
    await caller.expectError('invalid_json');
    await caller.expectHealthy();
  });

  test('6.1.3 empty fragments around a message', async () => {
    const caller = await Caller.join(pod);
    await send(caller, fragments(['', caller.chat('middle'), '']));
    await caller.expectEcho('middle');
    await caller.expectHealthy();
  });

  test.each(VALID_UTF8)(
    '%s %s is text: whole, in two fragments, in fragments of one byte',
    async (_, bytes) => {
      const data = Buffer.from(bytes, 'hex');
      const caller = await Caller.join(pod);
      const chat = caller.chat(data);
      const inside = chat.length - 2 - data.length + (data.length >> 1);
      await send(caller, [text(chat)]);
      await caller.expectEcho(data);
      // 6.2.2 and 6.2.3: the first cut is within a character wherever there is one of several bytes.
      await send(caller, fragments([chat.subarray(0, inside), chat.subarray(inside)]), 'frame by frame');
      await caller.expectEcho(data);
      await send(caller, fragments(pieces(chat, 1)));
      await caller.expectEcho(data);
      await caller.expectHealthy();
    },
  );

  test('6.7.1 a NUL is UTF-8, but no JSON', async () => {
    const caller = await Caller.join(pod);
    await send(caller, [text(caller.chat('\0'))]);
    await caller.expectError('invalid_json');
    await caller.expectHealthy();
  });

  test.each(INVALID_UTF8)('%s %s is no text: 1007, whole or in fragments', async (_, bytes) => {
    for (const size of [Infinity, 40, 1]) {
      const caller = await Caller.join(pod);
      const chat = caller.chat(Buffer.from(bytes, 'hex'));
      await send(caller, fragments(pieces(chat, Math.min(size, chat.length))));
      await caller.expectClose(1007);
    }
  });

  // RFC 6455 lets a server wait for the end of the message before it fails it.
  test.each<[string, Chop]>([
    ['6.4.1', 'frame by frame'],
    ['6.4.2', 'frame by frame'],
    ['6.4.3', 'byte by byte'],
    ['6.4.4', 'byte by byte'],
  ])('%s a message that is broken in its middle fragment, %s: 1007', async (name, chop) => {
    const caller = await Caller.join(pod);
    const broken = Buffer.from(name === '6.4.1' || name === '6.4.3' ? 'f4908080' : 'f490', 'hex');
    await send(caller, fragments([Buffer.from('{"data":"κόσμε'), broken, Buffer.from('edited"}')]), chop);
    await caller.expectClose(1007);
  });
});

const GOOD_CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
const BAD_CODES = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];

describe('7 Closing:', () => {
  test('7.1.1 a message and then a close: the message back, then the close', async () => {
    const caller = await Caller.join(pod);
    await send(caller, [text(caller.chat('Hello World!'))]);
    await caller.expectEcho('Hello World!');
    await send(caller, [closing(1000)]);
    await caller.expectClose(1000);
  });

  test.each<[string, string, (caller: Caller) => Buffer[]]>([
    ['7.1.2', 'a second close', () => [closing(1000), closing(1000)]],
    ['7.1.3', 'a ping', () => [closing(1000), frame(OPCODE.ping)]],
    ['7.1.4', 'a message', (caller) => [closing(1000), text(caller.chat('late'))]],
    [
      '7.1.5',
      'the rest of a message',
      (caller) => {
        const [first, second] = fragments(pieces(caller.chat('cut off'), 30)) as [Buffer, Buffer];
        return [first, closing(1000), second];
      },
    ],
  ])('%s what comes after a close (%s) is not looked at', async (_, __, frames) => {
    const caller = await Caller.join(pod);
    await send(caller, frames(caller));
    await caller.expectClose(1000);
  });

  test('7.1.6 a message of 256 KiB, a close and a ping: the close, and no pong', async () => {
    const caller = await Caller.join(pod);
    await send(caller, [text(caller.sized(262_144)), closing(1000), frame(OPCODE.ping)]);
    const frames = await caller.peer.until(({ opcode }) => opcode === OPCODE.close);
    expect(frames.filter(({ opcode }) => opcode === OPCODE.pong)).toEqual([]);
    expect(frames.at(-1)).toEqual({ opcode: OPCODE.close, payload: Buffer.of(3, 232) });
  });

  test('7.3.1 a close without a code is answered without one', async () => {
    const caller = await Caller.join(pod);
    await send(caller, [frame(OPCODE.close)]);
    await caller.expectClose(1005);
  });

  test('7.3.2 a close of one byte: 1002', async () => {
    const caller = await Caller.join(pod);
    await send(caller, [frame(OPCODE.close, 'a')]);
    await caller.expectClose(1002);
  });

  test.each([
    ['7.3.3', 'no reason', ''],
    ['7.3.4', 'a reason', 'Hello World!'],
    ['7.3.5', 'the longest reason', '*'.repeat(123)],
  ])('%s a close with a code and %s', async (_, __, reason) => {
    const caller = await Caller.join(pod);
    await send(caller, [closing(1000, reason)]);
    await caller.expectClose(1000);
  });

  test('7.3.6 a close with a reason of 124 bytes: 1002', async () => {
    const caller = await Caller.join(pod);
    await send(caller, [closing(1000, '*'.repeat(124))]);
    await caller.expectClose(1002);
  });

  test('7.5.1 a close whose reason is not UTF-8: 1007', async () => {
    const caller = await Caller.join(pod);
    await send(caller, [closing(1000, Buffer.from('cebae1bdb9cf83cebcceb5eda080656469746564', 'hex'))]);
    await caller.expectClose(1007);
  });

  test.each(GOOD_CODES.map((code, index) => [`7.7.${index + 1}`, code] as const))(
    '%s a close with the code %d is answered with it',
    async (_, code) => {
      const caller = await Caller.join(pod);
      await send(caller, [closing(code)]);
      await caller.expectClose(code);
    },
  );

  test.each([
    ...BAD_CODES.map((code, index) => [`7.9.${index + 1}`, code] as const),
    ['7.13.1', 5_000],
    ['7.13.2', 65_535],
  ] as const)('%s a close with the code %d, which must not be sent: 1002', async (_, code) => {
    const caller = await Caller.join(pod);
    await send(caller, [closing(code)]);
    await caller.expectClose(1002);
  });
});

const KIB = 1_024;

describe('9 Limits:', () => {
  test.each([
    ['9.1.1', 64 * KIB],
    ['9.1.2', 256 * KIB],
    ['9.1.3', LIMIT],
  ])('%s a text message of %d bytes', async (_, size) => {
    const caller = await Caller.join(pod);
    const chat = caller.sized(size);
    await send(caller, [text(chat)]);
    await caller.expectEchoOf(chat);
    await caller.expectHealthy();
  });

  test.each([
    ['9.1.4', LIMIT + 1],
    ['9.1.5', 4 * LIMIT],
  ])('%s a text message of %d bytes, which is over the limit: 1009', async (_, size) => {
    const caller = await Caller.join(pod);
    await send(caller, [text(Buffer.alloc(size, 0x20))]);
    await caller.expectClose(1009);
  });

  test.each([
    ['9.2.1', 64 * KIB],
    ['9.2.3', LIMIT],
  ])('%s a binary message of %d bytes: 1003', async (_, size) => {
    const caller = await Caller.join(pod);
    await send(caller, [frame(OPCODE.binary, Buffer.alloc(size))]);
    await caller.expectClose(1003);
  });

  test.each([
    ['9.3.1', 64],
    ['9.3.2', 256],
    ['9.3.3', KIB],
    ['9.3.4', 4 * KIB],
    ['9.3.5', 16 * KIB],
    ['9.3.6', 64 * KIB],
    ['9.3.7', 256 * KIB],
    ['9.3.8', LIMIT],
  ])('%s a text message of 1 MiB in fragments of %d bytes', async (_, size) => {
    const caller = await Caller.join(pod);
    // As many fragments as the server takes for one message: 16,384.
    const chat = caller.sized(Math.min(LIMIT, size * 16_384));
    await send(caller, fragments(pieces(chat, size)));
    await caller.expectEchoOf(chat);
    await caller.expectHealthy();
  });

  test.each([
    ['9.5.1', 64],
    ['9.5.2', 128],
    ['9.5.3', 256],
    ['9.5.4', 512],
    ['9.5.5', KIB],
    ['9.5.6', 2 * KIB],
  ])('%s a text message of 1 MiB in chops of %d bytes', async (_, size) => {
    const caller = await Caller.join(pod);
    const chat = caller.sized(LIMIT);
    await caller.peer.sendChopped(pieces(text(chat), size));
    await caller.expectEchoOf(chat);
    await caller.expectHealthy();
  });

  test.each([
    ['9.7.2', 16],
    ['9.7.3', 64],
    ['9.7.4', 256],
    ['9.7.5', KIB],
    ['9.7.6', 4 * KIB],
  ])('%s a thousand messages with data of %d bytes, one after the other', async (_, size) => {
    const caller = await Caller.join(pod);
    const data = '*'.repeat(size);
    const message = text(caller.chat(data));
    for (let n = 0; n < 1_000; n += 1) {
      caller.peer.send(message);
      await caller.expectEcho(data);
    }
    await caller.expectHealthy();
  });
});

test('10.1.1 a text message of 65536 bytes in fragments of 1300, as a proxy might cut it', async () => {
  for (const chop of CHOPS.slice(0, 2)) {
    const caller = await Caller.join(pod);
    const chat = caller.sized(65_536);
    await send(caller, fragments(pieces(chat, 1_300)), chop);
    await caller.expectEchoOf(chat);
    await caller.expectHealthy();
  }
});

test('After all of them the pod lives, and its output speaks of no fault', () => expectUnharmed(pod));
