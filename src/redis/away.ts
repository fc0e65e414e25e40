import { Refused } from '../core/refused.ts';

/** For a promise whose failure shows elsewhere: in the state of a connection, which goes on by itself. */
export function ignored(): void {}

/** Redis cannot be reached, does not answer, or does not take writes. */
export class Away extends Refused {
  constructor(reason: string) {
    super('unavailable');
    this.message = `Redis is away: ${reason}`;
  }
}

/**
 * Errors of a Redis that is there but cannot serve: a demoted or fenced master, one that loads its data, is full or is
 * busy (https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors). NOSCRIPT: it lost its scripts.
 */
const PASSING = new Set([
  'READONLY',
  'NOREPLICAS',
  'LOADING',
  'MASTERDOWN',
  'MISCONF',
  'OOM',
  'BUSY',
  'NOSCRIPT',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'NOAUTH',
]);

/** The first word of an error that Redis itself answered, such as `READONLY`; undefined for any other error. */
export function answerCode(error: Error): string | undefined {
  return error.name === 'ReplyError' ? /^[A-Z]+/.exec(error.message)?.[0] : undefined;
}

/**
 * `Away` unless Redis answered that the command itself is wrong. Only the text is kept: an error of ioredis carries the
 * command, and with it what a client sent.
 */
export function awayOr(error: Error): Error {
  const code = answerCode(error);
  if (error.name !== 'ReplyError' || (code !== undefined && PASSING.has(code)))
    return new Away(code ?? error.message);
  return new Error(`Redis: ${error.message}`);
}
