import { Away } from '../pods/away.ts';

/** Redis cannot be reached, does not answer, or does not take writes. */
export function redisAway(reason: string): Away {
  return new Away(`Redis is away: ${reason}`);
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
  'MOVED',
  'ASK',
  'NOAUTH',
]);

const ELSEWHERE =
  /^(?:(?:MOVED|ASK|TRYAGAIN|CLUSTERDOWN Hash slot) |ERR Script attempted to access a non local key )/;

/**
 * Whether a server of a Cluster says that another one has the slot, or will have it, or that none has
 * (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#redirection-and-resharding); also where
 * that came out halfway through a script.
 */
export function isElsewhere(error: Error): boolean {
  return error.name === 'ReplyError' && ELSEWHERE.test(error.message);
}

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
  if (error.name !== 'ReplyError' || isElsewhere(error) || (code !== undefined && PASSING.has(code)))
    return redisAway(code ?? error.message);
  return new Error(`Redis: ${error.message}`);
}
