import { Unavailable } from '../../shared/unavailable.ts';

/** Redis cannot be reached, does not answer, or does not take writes. */
export function redisUnavailable(reason: string): Unavailable {
  return new Unavailable(`Redis is away: ${reason}`);
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

/** The same in the words that come out of a script, which differ between Redis 7.0, Redis 8 and Valkey 9. */
const PASSING_IN_SCRIPT =
  /^ERR (?:Script attempted to execute|Can not execute) a (?:write )?command while the cluster is down/;

const ELSEWHERE = new RegExp(
  [
    '^(?:MOVED|ASK|TRYAGAIN|CLUSTERDOWN Hash slot) ',
    '^ERR (?:Script attempted|Attempted) to access a non local key ',
    '^ERR Script attempted to access a slot not served',
    "^ERR Unable to execute command '\\S+' in script because undeclared keys ",
  ].join('|'),
);

/** Of a command, and of one in a script: Redis 8 and Valkey 9, then Redis 7.0. */
const FORBIDDEN = /^(?:NOPERM |ERR ACL failure in script: |ERR The user executing the script )/;

/** What a user of Redis may not do and every pod has to. */
export class Forbidden extends Error {
  constructor(what: readonly string[]) {
    super(`NOPERM: its user may not ${what.join(', ')}`);
  }
}

/**
 * Whether a server of a Cluster says that another one has the slot, or will have it, or that none has
 * (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#redirection-and-resharding); also where
 * that came out halfway through a script.
 */
export function isElsewhere(error: Error): boolean {
  return error.name === 'ReplyError' && ELSEWHERE.test(error.message);
}

/** Whether the user lacks a right; also where that came out halfway through a script. */
export function isForbidden(error: Error): boolean {
  return error instanceof Forbidden || (error.name === 'ReplyError' && FORBIDDEN.test(error.message));
}

/** The first word of an error that Redis itself answered, such as `READONLY`; undefined for any other error. */
export function answerCode(error: Error): string | undefined {
  return error.name === 'ReplyError' ? /^[A-Z]+/.exec(error.message)?.[0] : undefined;
}

/**
 * `Unavailable` unless Redis answered that the command itself is wrong. Only the text is kept: an error of ioredis carries the
 * command, and with it what a client sent.
 */
export function unavailableOr(error: Error): Error {
  if (isForbidden(error)) return redisUnavailable('its user lacks a right');
  const code = answerCode(error);
  const isPassing = code === undefined || PASSING.has(code) || PASSING_IN_SCRIPT.test(error.message);
  if (isPassing || isElsewhere(error)) return redisUnavailable(code ?? error.message);
  return new Error(`Redis: ${error.message}`);
}
