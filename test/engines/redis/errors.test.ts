import { unavailableOr, isMoved, isForbidden } from '../../../src/engines/redis/connection/errors.ts';
import { describe, expect, test } from 'vitest';
import { Unavailable } from '../../../src/engines/shared/unavailable.ts';
import { ReplyError } from 'ioredis';

/** Answers of real servers, word by word: Redis 7.0.15, Redis 8.2.3 and Valkey 9.1.2. */
const FORBIDDEN = [
  "NOPERM this user has no permissions to run the 'xadd' command",
  "NOPERM User x has no permissions to run the 'xadd' command",
  'NOPERM this user has no permissions to access one of the keys used as arguments',
  'NOPERM No permissions to access a channel',
  "ERR The user executing the script can't run this command or subcommand script: 6563b1, on @user_script:2.",
  "ERR The user executing the script can't access at least one of the keys mentioned in the command arguments script: daf9fb, on @user_script:1.",
  "ERR The user executing the script can't publish to the channel mentioned in the command script: f56d84, on @user_script:1.",
  "ERR ACL failure in script: User x has no permissions to run the 'xadd' command script: 6563b1, on @user_script:2.",
  'ERR ACL failure in script: No permissions to access a key script: on @user_script:1.',
  'ERR ACL failure in script: No permissions to access a channel script: on @user_script:1.',
];

const PASSING = [
  'NOREPLICAS Not enough good replicas to write.',
  'NOREPLICAS Not enough good replicas to write. script: a11bbd, on @user_script:1.',
  'NOREPLICAS Not enough good replicas to write. script: on @user_script:1.',
  "OOM command not allowed when used memory > 'maxmemory'. script: on @user_script:1.",
  'ERR Script attempted to execute a command while the cluster is down script: a11bbd, on @user_script:1.',
  'ERR Script attempted to execute a write command while the cluster is down and readonly script: a11bbd, on @user_script:1.',
  'ERR Can not execute a command while the cluster is down script: on @user_script:1.',
];

const MOVED = [
  'MOVED 3300 127.0.0.1:7001',
  'CLUSTERDOWN Hash slot not served',
  'ERR Script attempted to access a non local key in a cluster node script: 972cb1, on @user_script:1.',
  'ERR Script attempted to access a slot not served script: 972cb1, on @user_script:1.',
  'ERR Attempted to access a non local key in a cluster node script: on @user_script:1.',
  "ERR Unable to execute command 'hget' in script because undeclared keys were accessed during rehashing of the slot script: 972cb1, on @user_script:1.",
];

const WRONG = [
  "ERR unknown command 'xad'",
  'WRONGTYPE Operation against a key holding the wrong kind of value',
  "ERR user_script:1: Script attempted to access nonexistent global variable 'x' script: 972cb1, on @user_script:1.",
];

describe('An error that a server answers', () => {
  test.each([...FORBIDDEN, ...PASSING, ...MOVED])('“%s” makes Redis unavailable', (text) => {
    expect(unavailableOr(new ReplyError(text))).toBeInstanceOf(Unavailable);
  });

  test.each(WRONG)('“%s” is an error of the command', (text) => {
    const judged = unavailableOr(new ReplyError(text));
    expect(judged).not.toBeInstanceOf(Unavailable);
    expect(judged.message).toContain(text);
  });

  test('tells a missing right and a moved slot apart', () => {
    const all = [...FORBIDDEN, ...PASSING, ...MOVED, ...WRONG].map((text) => new ReplyError(text));
    const textsOf = (errors: Error[]): string[] => errors.map(({ message }) => message);
    expect(textsOf(all.filter(isForbidden))).toEqual(FORBIDDEN);
    expect(textsOf(all.filter(isMoved))).toEqual(MOVED);
  });

  test('does not reveal the command', () => {
    const error = Object.assign(new ReplyError('ERR wrong'), { command: { args: ['what a client sent'] } });
    expect(JSON.stringify(unavailableOr(error), Object.getOwnPropertyNames(error))).not.toContain('client');
  });
});
