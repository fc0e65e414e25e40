import { describe, expect, test } from 'vitest';
import {
  missingSince,
  type RoomFacts,
  type ResumeOutcome,
  resumeOutcome,
} from '../../../src/engines/redis/history/missing.ts';

const DAY_MS = 86_400_000;
const NOW = 10 * DAY_MS;
/** The data is `data01`, the server runs for the second time. */
const at = (ms: number, seq: number, run = 'run002'): string => `data01${run}.r.${ms}-${seq}`;

/** A room begun at NOW, of which three messages are kept, from NOW + 11 to NOW + 13. */
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
  test('nothing after the newest, after one that is kept, and after the one before the oldest kept', () => {
    expect(missing(at(NOW + 13, 1))).toBeUndefined();
    expect(missing(at(NOW + 12, 1), { epochThere: 'data01run002' })).toBeUndefined();
    expect(missing(at(NOW + 10, 1))).toBeUndefined();
  });

  test('some, after what was put in place of a loss, once what came next is trimmed', () => {
    expect(missing(at(NOW + 5, 2), { mark: at(NOW + 5, 2) })).toBe('trimmed');
    expect(missing(at(NOW + 11, 2), { mark: at(NOW + 11, 2) })).toBeUndefined();
    expect(missing(at(NOW + 10, 1), { mark: at(NOW + 10, 1) })).toBeUndefined();
  });

  test('nothing after a message that survived a failover', () => {
    expect(missing(at(NOW + 12, 1, 'run001'), { epochThere: 'data01run001' })).toBeUndefined();
    expect(missing(at(NOW + 10, 1, 'run001'), { trimmedTo: at(NOW + 10, 1, 'run001') })).toBeUndefined();
  });

  test('all of it where the data is another', () => {
    expect(missing('data02run002.r.1-1')).toBe('history_lost');
    expect(missing('another.q.1-1')).toBe('history_lost');
  });

  test('nothing where the data only has another name, as far as the position is still there', () => {
    const renamed = { epoch: 'data02run002' };
    expect(missing(at(NOW + 13, 1), renamed)).toBeUndefined();
    expect(missing(at(NOW + 12, 1), { ...renamed, epochThere: 'data01run002' })).toBeUndefined();
    expect(missing(at(NOW + 12, 1), { ...renamed, epochThere: 'data02run002' })).toBe('history_lost');
  });

  test('a message of another room at the same place is not there', () => {
    expect(missing(`data01run002.q.${NOW + 12}-1`, { epochThere: 'data01run002' })).toBe('unknown_position');
  });

  test('a message that a failover dropped is found out, wherever it would be', () => {
    const ended = { ended: String(NOW + 14) };
    expect(missing(at(NOW + 14, 1, 'run001'), ended)).toBe('dropped');
    expect(missing(at(NOW + 12, 5, 'run001'), { epochThere: 'data01run002', ...ended })).toBe('dropped');
    expect(missing(at(NOW - 5, 1, 'run001'), { ...UNKNOWN_ROOM, ...ended })).toBe('dropped');
    expect(missing(at(NOW - 5, 1, 'run001'), ended)).toBe('dropped');
  });

  test('a position that no server can have given is nobody’s loss', () => {
    expect(missing(at(NOW + 14, 1, 'forged'))).toBe('unknown_position');
    expect(missing(at(999_999_999_999_999, 1, 'run001'), { ended: String(NOW + 14) })).toBe(
      'unknown_position',
    );
  });

  test('a position that a pod was given is lost where it is not there, whatever is known of its server', () => {
    const ours = { after: at(NOW + 12, 5), isOurs: true };
    expect(resumeOutcome(ours, 'r', FACTS)).toEqual({
      missing: 'history_lost',
      goesOn: false,
      isNewLoss: false,
    });
    expect(resumeOutcome({ after: at(NOW + 13, 1), isOurs: true }, 'r', FACTS).missing).toBeUndefined();
  });

  test('every position up to the lost one is no longer good; the mark made then is', () => {
    const facts = { lost: `${NOW + 12}-5`, mark: at(NOW + 13, 2), epochThere: 'data01run001' };
    expect(missing(at(NOW + 12, 1, 'run001'), facts)).toBe('history_lost');
    expect(missing(at(NOW + 12, 5, 'run001'), facts)).toBe('history_lost');
    expect(missing(at(NOW + 13, 2), facts)).toBeUndefined();
    expect(missing(at(NOW + 14, 1), { ...facts, epochThere: 'data01run002' })).toBeUndefined();
  });

  test('one that is kept before a loss goes on from where it is, and what the new server made is after it', () => {
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

  test('all that was made before the data went back is no longer complete, also where it is kept', () => {
    const facts = { wentBack: String(NOW + 13), epochThere: 'data01run002' };
    expect(outcome(at(NOW + 12, 1), facts)).toMatchObject({ missing: 'history_lost', goesOn: true });
    expect(outcome(at(NOW + 13, 1), facts)).toMatchObject({ missing: undefined, goesOn: true });
    expect(missingSince(NOW + 12, { ...FACTS, wentBack: String(NOW + 13) })).toBe('history_lost');
  });

  test('all of it where the room has begun anew, though the data and the server are the same', () => {
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

  test('a message that a failover dropped with all of its room is found out as well', () => {
    const facts = { ...UNKNOWN_ROOM, ended: String(NOW + 14) };
    expect(missing(at(NOW - 5, 1, 'run001beg1'), facts)).toBe('dropped');
    expect(missing(at(NOW - 5, 0, 'run001beg1'), facts)).toBe('history_lost');
  });

  test('what had been trimmed, where only the messages are left of what was known of the room', () => {
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

  test('one before the oldest kept is trimmed', () => {
    expect(missing(at(NOW + 5, 1))).toBe('trimmed');
    expect(missing(at(NOW, 0))).toBe('trimmed');
    expect(missing(at(NOW - 1_000, 0))).toBe('trimmed');
  });

  test('a moment before the room began is good while nothing is trimmed', () => {
    expect(missing(at(NOW - 1_000, 0), { trimmedTo: at(NOW, 0) })).toBeUndefined();
    expect(missing(at(NOW - 90_000, 0), UNKNOWN_ROOM)).toBeUndefined();
  });

  test('one from more than a day before the room began is expired', () => {
    expect(missing(at(NOW - DAY_MS - 1, 1))).toBe('expired');
    expect(missing(at(NOW - 2 * DAY_MS, 1), UNKNOWN_ROOM)).toBe('expired');
  });

  test('one that never was in the room is unknown', () => {
    for (const after of ['', 'nonsense', 'data01run002.q.1-1', at(NOW + 12, 5), at(NOW + 99, 1)]) {
      expect([after, missing(after)]).toEqual([after, 'unknown_position']);
    }
  });
});

describe('what is missing since a moment', () => {
  test('nothing while all that was trimmed or lost is older', () => {
    expect(missingSince(NOW + 11, FACTS)).toBeUndefined();
    expect(missingSince(NOW + 10, FACTS)).toBe('trimmed');
    expect(missingSince(NOW - 60_000, UNKNOWN_ROOM)).toBeUndefined();
    expect(missingSince(NOW + 11, { ...FACTS, lost: `${NOW + 12}-5` })).toBe('history_lost');
  });
});
