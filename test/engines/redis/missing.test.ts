import { describe, expect, test } from 'vitest';
import {
  missingSince,
  type RoomFacts,
  type ResumeOutcome,
  resumeOutcome,
} from '../../../src/engines/redis/history/missing.ts';

const DAY_MS = 86_400_000;
const NOW = 10 * DAY_MS;
/** The data is `data01`, and this is the second run of the server. */
const at = (ms: number, seq: number, run = 'run002'): string => `data01${run}.r.${ms}-${seq}`;

/** A room that began at NOW and stores three messages, from NOW + 11 to NOW + 13. */
const FACTS: RoomFacts = {
  epoch: 'data01run002',
  newest: at(NOW + 13, 1),
  floor: at(NOW, 0),
  lost: '',
  mark: '',
  trimmedTo: at(NOW + 10, 1),
  epochThere: '',
  ended: '',
  wentBack: '',
};
const UNKNOWN_ROOM: RoomFacts = {
  ...FACTS,
  newest: at(NOW - 60_000, 0),
  floor: '',
  trimmedTo: at(NOW - 60_000, 0),
};

const outcome = (after: string, facts: Partial<RoomFacts> = {}): ResumeOutcome =>
  resumeOutcome({ after }, 'r', { ...FACTS, ...facts });
const missing = (after: string, facts: Partial<RoomFacts> = {}): unknown => {
  const { missing: reason, isNewLoss } = outcome(after, facts);
  return isNewLoss ? 'dropped' : reason;
};

describe('what is missing after a position', () => {
  test('nothing after the newest message, after a stored one, and after the one before the oldest', () => {
    expect(missing(at(NOW + 13, 1))).toBeUndefined();
    expect(missing(at(NOW + 12, 1), { epochThere: 'data01run002' })).toBeUndefined();
    expect(missing(at(NOW + 10, 1))).toBeUndefined();
  });

  test('some after the mark of a loss, once the next message is trimmed', () => {
    expect(missing(at(NOW + 5, 2), { mark: at(NOW + 5, 2) })).toBe('trimmed');
    expect(missing(at(NOW + 11, 2), { mark: at(NOW + 11, 2) })).toBeUndefined();
    expect(missing(at(NOW + 10, 1), { mark: at(NOW + 10, 1) })).toBeUndefined();
  });

  test('nothing after a message that survived a failover', () => {
    expect(missing(at(NOW + 12, 1, 'run001'), { epochThere: 'data01run001' })).toBeUndefined();
    expect(missing(at(NOW + 10, 1, 'run001'), { trimmedTo: at(NOW + 10, 1, 'run001') })).toBeUndefined();
  });

  test('everything if the data is another', () => {
    expect(missing('data02run002.r.1-1')).toBe('history_lost');
    expect(missing('another.q.1-1')).toBe('history_lost');
  });

  test('nothing if only the name of the data changed and the message is still stored', () => {
    const renamed = { epoch: 'data02run002' };
    expect(missing(at(NOW + 13, 1), renamed)).toBeUndefined();
    expect(missing(at(NOW + 12, 1), { ...renamed, epochThere: 'data01run002' })).toBeUndefined();
    expect(missing(at(NOW + 12, 1), { ...renamed, epochThere: 'data02run002' })).toBe('history_lost');
  });

  test('a message of another room with the same stream id does not count', () => {
    expect(missing(`data01run002.q.${NOW + 12}-1`, { epochThere: 'data01run002' })).toBe('unknown_position');
  });

  test('a message that a failover dropped is noticed, wherever it would be', () => {
    const ended = { ended: String(NOW + 14) };
    expect(missing(at(NOW + 14, 1, 'run001'), ended)).toBe('dropped');
    expect(missing(at(NOW + 12, 5, 'run001'), { epochThere: 'data01run002', ...ended })).toBe('dropped');
    expect(missing(at(NOW - 5, 1, 'run001'), { ...UNKNOWN_ROOM, ...ended })).toBe('dropped');
    expect(missing(at(NOW - 5, 1, 'run001'), ended)).toBe('dropped');
  });

  test('a position that no server can have made is not a loss', () => {
    expect(missing(at(NOW + 14, 1, 'forged'))).toBe('unknown_position');
    expect(missing(at(999_999_999_999_999, 1, 'run001'), { ended: String(NOW + 14) })).toBe(
      'unknown_position',
    );
  });

  test('a position that a pod was given is lost if it is not stored, whatever is known of its server', () => {
    const ours = { after: at(NOW + 12, 5), isOurs: true };
    expect(resumeOutcome(ours, 'r', FACTS)).toEqual({
      missing: 'history_lost',
      goesOn: false,
      isNewLoss: false,
    });
    expect(resumeOutcome({ after: at(NOW + 13, 1), isOurs: true }, 'r', FACTS).missing).toBeUndefined();
  });

  test('no position up to the lost one is valid any more; the mark is', () => {
    const facts = { lost: `${NOW + 12}-5`, mark: at(NOW + 13, 2), epochThere: 'data01run001' };
    expect(missing(at(NOW + 12, 1, 'run001'), facts)).toBe('history_lost');
    expect(missing(at(NOW + 12, 5, 'run001'), facts)).toBe('history_lost');
    expect(missing(at(NOW + 13, 2), facts)).toBeUndefined();
    expect(missing(at(NOW + 14, 1), { ...facts, epochThere: 'data01run002' })).toBeUndefined();
  });

  test('a page after a stored message before the loss begins there, and has the messages of the new server', () => {
    const facts = { lost: `${NOW + 12}-5`, mark: at(NOW + 13, 2, 'run003'), epoch: 'data01run003' };
    expect(outcome(at(NOW + 11, 1), { ...facts, epochThere: 'data01run002' })).toEqual({
      missing: 'history_lost',
      goesOn: true,
      isNewLoss: false,
    });
    expect(outcome(at(NOW + 12, 5), facts)).toMatchObject({ missing: 'history_lost', goesOn: false });
    expect(outcome(at(NOW + 11, 0), facts)).toMatchObject({ missing: 'history_lost', goesOn: true });
    const made = at(NOW + 12, 2, 'run003');
    expect(outcome(made, { ...facts, epochThere: 'data01run003' })).toMatchObject({ missing: undefined });
  });

  test('messages may be missing after every position from before the data went back, also after stored ones', () => {
    const facts = { wentBack: String(NOW + 13), epochThere: 'data01run002' };
    expect(outcome(at(NOW + 12, 1), facts)).toMatchObject({ missing: 'history_lost', goesOn: true });
    expect(outcome(at(NOW + 13, 1), facts)).toMatchObject({ missing: undefined, goesOn: true });
    expect(missingSince(NOW + 12, { ...FACTS, wentBack: String(NOW + 13) })).toBe('history_lost');
  });

  test('everything if the room began again, although data and server are the same', () => {
    const again = {
      epoch: 'data01run002beg2',
      floor: at(NOW, 0, 'run002beg2'),
      newest: at(NOW, 0, 'run002beg2'),
    };
    expect(missing(at(NOW - 5, 1, 'run002beg1'), again)).toBe('history_lost');
    expect(missing(at(NOW - DAY_MS - 1, 1, 'run002beg1'), again)).toBe('expired');
    expect(missing(at(NOW - 5, 1, 'run002'), again)).toBe('unknown_position');
    expect(missing(at(NOW - 90_000, 0, 'run002beg1'), UNKNOWN_ROOM)).toBe('history_lost');
  });

  test('a message that a failover dropped with all keys of its room is noticed as well', () => {
    const facts = { ...UNKNOWN_ROOM, ended: String(NOW + 14) };
    expect(missing(at(NOW - 5, 1, 'run001beg1'), facts)).toBe('dropped');
    expect(missing(at(NOW - 5, 0, 'run001beg1'), facts)).toBe('history_lost');
  });

  test('trimmed messages, if only the messages are left of the room', () => {
    const ours = (ms: number, seq: number): string => at(ms, seq, 'run002beg1');
    const trimmed = { epoch: 'data01run002beg1', trimmedTo: ours(NOW + 10, 1), newest: ours(NOW + 13, 1) };
    for (const floor of ['', trimmed.newest]) {
      const facts = { ...trimmed, floor };
      expect(missing(ours(NOW + 5, 1), facts)).toBe('trimmed');
      expect(missing(ours(NOW, 0), facts)).toBe('trimmed');
      expect(missing(at(NOW + 5, 0), facts)).toBe('trimmed');
      expect(missing(at(NOW + 11, 0), facts)).toBeUndefined();
      expect(missing(at(NOW + 5, 1), facts)).toBe('unknown_position');
    }
  });

  test('a position before the oldest message is trimmed', () => {
    expect(missing(at(NOW + 5, 1))).toBe('trimmed');
    expect(missing(at(NOW, 0))).toBe('trimmed');
    expect(missing(at(NOW - 1_000, 0))).toBe('trimmed');
  });

  test('a moment before the room began is valid while nothing is trimmed', () => {
    expect(missing(at(NOW - 1_000, 0), { trimmedTo: at(NOW, 0) })).toBeUndefined();
    expect(missing(at(NOW - 90_000, 0), UNKNOWN_ROOM)).toBeUndefined();
  });

  test('a position from more than a day before the room began is expired', () => {
    expect(missing(at(NOW - DAY_MS - 1, 1))).toBe('expired');
    expect(missing(at(NOW - 2 * DAY_MS, 1), UNKNOWN_ROOM)).toBe('expired');
  });

  test('a position that the room never had is unknown', () => {
    for (const after of ['', 'nonsense', 'data01run002.q.1-1', at(NOW + 12, 5), at(NOW + 99, 1)]) {
      expect([after, missing(after)]).toEqual([after, 'unknown_position']);
    }
  });
});

describe('what is missing since a moment', () => {
  test('nothing if all trimmed or lost messages are older', () => {
    expect(missingSince(NOW + 11, FACTS)).toBeUndefined();
    expect(missingSince(NOW + 10, FACTS)).toBe('trimmed');
    expect(missingSince(NOW - 60_000, UNKNOWN_ROOM)).toBeUndefined();
    expect(missingSince(NOW + 11, { ...FACTS, lost: `${NOW + 12}-5` })).toBe('history_lost');
  });
});
