import { ERRORS, type ErrorCode, type Rejection, rejection } from '../protocol/error-codes.ts';
import type { HookMessage } from './types.ts';
import type { Submission, HookDecision } from '../core/ports/hooks.ts';
import { writeJson } from '../protocol/json.ts';

/** A hook's answer that means nothing; the message says what is wrong with it and quotes nothing of it. */
export class WrongAnswer extends Error {}

const FIXED = ['room', 'to', 'ephemeral'] as const;
const KNOWN: ReadonlySet<string> = new Set(['type', 'event', 'data', ...FIXED]);

/** What a hook is shown of a submission: a copy, its data parsed. */
export function hookMessageOf({ data, ...rest }: Submission): HookMessage {
  return { ...rest, data: JSON.parse(data) as unknown };
}

/** Reads what onMessage gave. Raises WrongAnswer, and whatever the answer's own getters and `toJSON` raise. */
export function decisionOf(answer: unknown, what: Submission): HookDecision {
  if (answer === undefined) return { kind: 'publish', content: what };
  if (answer === null) return { kind: 'suppress' };
  if (!isObject(answer)) throw new WrongAnswer('an answer must be undefined, null or an object');
  const strange = Object.keys(answer).find((name) => !KNOWN.has(name));
  if (strange !== undefined) throw new WrongAnswer('an answer has only type, event and data');
  const moved = FIXED.find((name) => answer[name] !== undefined && answer[name] !== what[name]);
  if (moved !== undefined) throw new WrongAnswer(`a hook cannot change ${moved}`);
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
  // Undefined for a function or a symbol, although its type does not say so.
  const text = data === undefined ? what.data : writeJson(data);
  if (text === undefined) throw new WrongAnswer('data must be JSON');
  return { event: event === undefined ? what.event : event || undefined, data: text };
}

/** Reads what a hook threw; undefined where it is no refusal. */
export function rejectionOf(thrown: unknown): Rejection | undefined {
  if (!isObject(thrown)) return undefined;
  const { code = 'forbidden', error } = thrown;
  if (!isErrorCode(code) || (error !== undefined && typeof error !== 'string')) return undefined;
  // `{}` and an error of another origin are no refusals.
  if (error === undefined && (thrown['code'] === undefined || thrown instanceof Error)) return undefined;
  return rejection(code, error || undefined);
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERRORS, code);
}

type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
