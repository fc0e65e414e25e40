import { Unavailable } from '../../shared/unavailable.ts';

/** Redis cannot be reached, does not answer, or does not take writes. */
export function redisUnavailable(reason: string): Unavailable {
  return new Unavailable(`Redis is unavailable: ${reason}`);
}

/**
 * Errors of a Redis that answers but cannot serve: a demoted or fenced master, or one that is loading, full or busy
 * (https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors). NOSCRIPT: it has lost its scripts.
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

/** The same as a script raises it; Redis 7.0, Redis 8 and Valkey 9 differ. */
const PASSING_IN_SCRIPT =
  /^ERR (?:Script attempted to execute|Can not execute) a (?:write )?command while the cluster is down/;

const MOVED = new RegExp(
  [
    '^(?:MOVED|ASK|TRYAGAIN|CLUSTERDOWN Hash slot) ',
    '^ERR (?:Script attempted|Attempted) to access a non local key ',
    '^ERR Script attempted to access a slot not served',
    "^ERR Unable to execute command '\\S+' in script because undeclared keys ",
  ].join('|'),
);

/** Of a command, then of a command in a script: Redis 8 and Valkey 9, and Redis 7.0. */
const FORBIDDEN = /^(?:NOPERM |ERR ACL failure in script: |ERR The user executing the script )/;

/** Names the rights that the pod's Redis user lacks. */
export class Forbidden extends Error {
  constructor(what: readonly string[]) {
    super(`NOPERM: its user may not ${what.join(', ')}`);
  }
}

/**
 * Whether a master of a Cluster says that another one has the slot, or soon will, or that none has
 * (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#redirection-and-resharding) also if
 * that showed halfway through a script.
 */
export function isMoved(error: Error): boolean {
  return error.name === 'ReplyError' && MOVED.test(error.message);
}

/** Whether the user lacks a right; also if that showed halfway through a script. */
export function isForbidden(error: Error): boolean {
  return error instanceof Forbidden || (error.name === 'ReplyError' && FORBIDDEN.test(error.message));
}

/** The code of an error that Redis answered, such as `READONLY`; undefined for any other error. */
export function errorCode(error: Error): string | undefined {
  return error.name === 'ReplyError' ? /^[A-Z]+/.exec(error.message)?.[0] : undefined;
}

/**
 * `Unavailable` unless Redis answered that the command itself is wrong. Only the text is kept: an error of ioredis
 * carries the command, and with it what a client sent.
 */
export function unavailableOr(error: Error): Error {
  if (isForbidden(error)) return redisUnavailable('its user lacks a right');
  const code = errorCode(error);
  const isPassing = code === undefined || PASSING.has(code) || PASSING_IN_SCRIPT.test(error.message);
  if (isPassing || isMoved(error)) return redisUnavailable(code ?? error.message);
  return new Error(`Redis: ${error.message}`);
}
