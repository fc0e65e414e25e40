import { expect, test } from 'vitest';
import { ruleWords } from '../../src/web/room-rule.ts';

test.each([
  [
    '{"type":"system","event":"joined","room":"a","data":{"rule":"a*","max_data_bytes":9}}',
    'a has the rule a*, which allows at most 9 bytes of data',
  ],
  ['{"type":"subscribed","channel":"a","rule":"*"}', 'a has the rule *'],
  ['{"type":"system","event":"joined","room":"a","data":{"data":{"rule":"x"}}}', undefined],
  ['{"type":"chat","room":"a","data":{"rule":"x"}}', undefined],
  ['not JSON', undefined],
])('%s', (frame, words) => {
  expect(ruleWords(frame)).toBe(words);
});
