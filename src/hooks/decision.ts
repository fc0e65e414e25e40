import { readCode, type Rejection, rejection } from '../protocol/error-codes.ts';
import type { HookMessage } from './types.ts';
import type { Submission, HookDecision } from '../core/ports/hooks.ts';
import { writeJson } from '../protocol/json.ts';
import { WrongAnswer } from '../core/base/answers.ts';

const FIXED = ['room', 'to', 'ephemeral'] as const;
const KNOWN: ReadonlySet<string> = new Set(['type', 'event', 'data', ...FIXED]);

/** The copy of a submission that a hook receives, with its data parsed. */
export function hookMessageOf({ data, ...rest }: Submission): HookMessage {
  return { ...rest, data: JSON.parse(data) as unknown };
}

/** Reads the answer of onMessage. Raises WrongAnswer, and whatever the answer's own getters and `toJSON` raise. */
export function decisionOf(answer: unknown, what: Submission): HookDecision {
  if (answer === undefined) return { kind: 'publish', content: what };
  if (answer === null) return { kind: 'suppress' };
  if (!isObject(answer)) throw new WrongAnswer('an answer must be undefined, null or an object');
  const unknown = Object.keys(answer).find((name) => !KNOWN.has(name));
  if (unknown !== undefined) throw new WrongAnswer('an answer may have only type, event and data');
  const changed = FIXED.find((name) => answer[name] !== undefined && answer[name] !== what[name]);
  if (changed !== undefined) throw new WrongAnswer(`a hook cannot change ${changed}`);
  return { kind: 'publish', content: { type: typeOf(answer, what), ...eventAndData(answer, what) } };
}

function typeOf({ type }: Fields, what: Submission): Submission['type'] {
  if (type === undefined) return what.type;
  if (type !== 'chat' && type !== 'notification') throw new WrongAnswer('type must be chat or notification');
  return type;
}

function eventAndData({ event, data }: Fields, what: Submission): Pick<Submission, 'event' | 'data'> {
  if (event !== undefined && event !== null && typeof event !== 'string') {
    throw new WrongAnswer('event must be a string, or null for none');
  }
  // writeJson returns undefined for a function or a symbol.
  const text = data === undefined ? what.data : writeJson(data);
  if (text === undefined) throw new WrongAnswer('data must be JSON');
  return { event: event === undefined ? what.event : event || undefined, data: text };
}

/** Reads what a hook threw. Undefined if it is not a refusal. */
export function rejectionOf(thrown: unknown): Rejection | undefined {
  if (!isObject(thrown)) return undefined;
  const { code: given = 'forbidden', error } = thrown;
  const code = readCode(given);
  if (code === undefined || (error !== undefined && typeof error !== 'string')) return undefined;
  // `{}` and errors of other libraries are not refusals.
  if (error === undefined && (thrown['code'] === undefined || thrown instanceof Error)) return undefined;
  return rejection(code, error || undefined);
}

type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
