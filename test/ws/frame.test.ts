import { expect, test } from 'vitest';
import * as fc from 'fast-check';
import * as ws from 'ws';
import { framer, PING_FRAME } from '../../src/ws/frame.ts';

/** The encoder of ws, which writes what browsers and other libraries have read for years. */
const { Sender } = ws as unknown as { Sender: { frame(data: Buffer, options: object): Buffer[] } };
const OPTIONS = { fin: true, mask: false, readOnly: true, rsv1: false };

function frameOfWs(text: string): Buffer {
  return Buffer.concat(Sender.frame(Buffer.from(text), { ...OPTIONS, opcode: 1 }));
}

test.each([0, 1, 125, 126, 127, 65_535, 65_536, 70_000])(
  'a text of %d bytes is framed as ws frames it',
  (length) => {
    const text = 'x'.repeat(length);
    expect(framer.frame(text)).toEqual(frameOfWs(text));
  },
);

test('any text, and any number of texts in one buffer', () => {
  const text = fc.string({ unit: 'binary', maxLength: 300 }).map((some) => some.toWellFormed());
  fc.assert(
    fc.property(fc.array(text), (texts) => {
      expect(framer.frames(texts)).toEqual(Buffer.concat(texts.map(frameOfWs)));
      expect(framer.join(texts.map((one) => framer.frame(one)))).toEqual(Buffer.concat(texts.map(frameOfWs)));
    }),
  );
});

test('some of several frames', () => {
  const texts = ['', 'a', 'x'.repeat(126), 'é'.repeat(40_000), 'b'.repeat(70_000), 'c'];
  const frames = Buffer.concat([Buffer.from('before'), framer.frames(texts)]).subarray('before'.length);
  for (let from = 0; from <= texts.length; from += 1) {
    for (let to = from; to <= texts.length; to += 1) {
      expect(framer.slice(frames, from, to)).toEqual(framer.frames(texts.slice(from, to)));
    }
  }
});

test('a text with a lone surrogate has the length that its head names', () => {
  const frame = Buffer.from(framer.frame('a\ud800b'));
  expect(frame[1]).toBe(frame.length - 2);
});

test('a ping', () => {
  expect(PING_FRAME).toEqual(Buffer.concat(Sender.frame(Buffer.alloc(0), { ...OPTIONS, opcode: 9 })));
});
