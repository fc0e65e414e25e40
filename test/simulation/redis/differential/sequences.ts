import type { Random } from '../../../hostile/random.ts';
import type { Invocation } from './proxy.ts';
import { allScripts, type TimedScript } from './scripts.ts';

type Command = readonly string[];

const PLAIN_KEYS = ['k1', 'k2', 'k3', 'k4'];
export const CHANNELS = ['c1', 'c2', 'test:realtime:room:lobby'];
const FIELDS = ['f1', 'f2', 'žluť', '', 'pod1.1'];
const TEXTS = ['v', '', '5', '-3', '9223372036854775807', '1.5', 'žů', 'a b', 'x'.repeat(100), '007'];
const SCORES = ['0', '1', '-2.5', '1e3', 'inf', '1700000000000'];
const BOUNDS = ['-inf', '+inf', '(0', '1', '(1e3', '-2.5'];
const NAMES = ['-', '+', '[a', '(a', '[m1', '(m2', '[m1\xff'];
const MEMBERS = ['m1', 'm2', 'm3', 'a', 'b c'];
const IDS = ['1-1', '5-5', '5-6', '7', '1700000000000-1', '9007199254740993-18446744073709551615', '0-1'];
const ENDS = ['-', '+', '(5-5', '5', '(1-1', '5-5', '1700000000000', '(7'];
/** Loops that never end where an argument makes no sense. */
const NEEDS_REASON = /\b(?:while|repeat)\b|for \w+ = [^,\n]+,[^,\n]+, (?!\d+ do)/;
/** What a script may be called with. */
const ARGUMENTS = [
  '',
  '0',
  '1',
  '7',
  '1700000000000',
  '60000',
  'pod1.1',
  'pod1.2',
  'e1.tag.5-5',
  'after',
  'newest',
  'now',
  '5-5',
  '(a',
];

/** Scripts that show how values and errors go from Redis to Lua and back. */
const PROBES = [
  'return {3.99, -3.99, 1e15, 2^53, true, false, {ok = "fine"}, {err = "ERR bad"}, "text", {}, {{1}, {2, nil, 3}}}',
  'return 1e300',
  'return {err = "CODE text"}',
  'return {1, err = "CODE text"}',
  'return redis.error_reply("ERR told")',
  'return redis.status_reply("a\\nb")',
  'return redis.sha1hex(KEYS[1] .. ARGV[1]) .. #KEYS .. #ARGV',
  'return cjson.encode("a/b\\"\\n" .. string.char(1, 127))',
  'return {tostring(1e15), tostring(2^60), tostring(0.1), string.format("%.0f", 2^53), string.format("%5.2f|%s|%d", 1.005, "x", 3.7)}',
  'redis.call("DEL", "p") redis.call("SET", "p", 0.1 + 0.2) return redis.call("GET", "p")',
  'redis.call("DEL", "p") redis.call("ZADD", "p", 1e20, "m", 1.5, "n") return {redis.call("ZSCORE", "p", "m"), redis.call("ZSCORE", "p", "n")}',
  'return {type(redis.call("GET", "none")), type(redis.call("HGETALL", "none")), redis.call("SET", "q", 1).ok, redis.call("TYPE", "q").ok}',
  'return redis.pcall("HGET", KEYS[1])',
  'return redis.pcall("NONE").err',
  'return redis.call("NONE")',
  'return redis.call()',
  'return redis.call("GET", {})',
  'return redis.call("SUBSCRIBE", "c")',
  'return redis.call("EVAL", "return 1", 0)',
  'return redis.sha1hex()',
  'return missing',
  'missing = 1',
  'error("raised")',
  'error({err = "CODE raised"})',
  'local nothing; return nothing.field',
  'return tonumber("0x10") + tonumber(" 7 ") + #tostring(unpack({1, 2}))',
  'return = 1',
  // What was done before the first refusal stays, and once something was written no state of the server ends a script.
  'redis.call("SADD", "r", "x") return redis.call("XADD", "r", "1-1", "a", "b")',
  'redis.call("DEL", "none") return redis.call("SET", "s", "x")',
  'redis.call("PUBLISH", "c1", "x") return redis.call("HSET", "t", "f", "v")',
];

/** Commands and calls of scripts, at random, which a seed repeats. */
export class Sequence {
  readonly #random: Random;
  readonly #invocations: readonly Invocation[];
  readonly #scripts: readonly TimedScript[];
  /** Those that end whatever they are called with. */
  readonly #ending: readonly TimedScript[];
  readonly #keys: readonly string[];
  /** The time that scripts are told, in milliseconds since 1970. */
  #now = 1_700_000_000_000;

  constructor(random: Random, invocations: readonly Invocation[]) {
    this.#random = random;
    // What is taken of a hash or a set in any order is the same only where all of it can be taken, as pods do it.
    const isOrdered = (script: TimedScript): boolean => !script.isShuffled;
    this.#invocations = invocations.filter(({ script }) => isOrdered(script));
    this.#scripts = [...allScripts().values()].flat().filter(isOrdered);
    this.#ending = this.#scripts.filter(({ lua }) => !NEEDS_REASON.test(lua));
    const used = new Set(invocations.flatMap(({ keys }) => keys));
    // Few, so that commands meet.
    this.#keys = [...PLAIN_KEYS, ...[...used].filter(() => random.chance(0.3)).slice(0, 12)];
  }

  /** Makes the scripts known. */
  loading(): Command[] {
    const called = this.#invocations.map(({ script }) => script);
    const all = new Map([...this.#scripts, ...called].map(({ sha, lua }) => [sha, lua]));
    return [...all.values()].map((lua) => ['SCRIPT', 'LOAD', lua]);
  }

  /** What scripts get from Redis, and what they give back. */
  probing(): Command[] {
    return PROBES.map((lua) => ['EVAL', lua, '1', 'k1', 'arg']);
  }

  next(): Command {
    this.#now += this.#random.pick([0, 0, 1, 3, 50]);
    const kind = this.#random.next();
    if (kind < 0.4) return this.#replayed();
    if (kind < 0.5) return this.#madeUp();
    const words = this.#plain();
    // A cursor that the other side gave stands for nothing here.
    return this.#random.chance(0.05) && !words[0]?.endsWith('SCAN') ? this.#spoilt(words) : words;
  }

  /** Everything that is there. */
  reading(keys: readonly string[]): Command[] {
    const key = (name: string): string[][] => [
      ['TYPE', name],
      ['PTTL', name],
      ['GET', name],
      ['HGETALL', name],
      ['SMEMBERS', name],
      ['ZRANGEBYSCORE', name, '-inf', '+inf', 'WITHSCORES'],
      ['XRANGE', name, '-', '+'],
    ];
    return [['KEYS', '*'], ...keys.flatMap(key)];
  }

  /** What a pod called, perhaps with keys of others, or with what was said in another call of the script. */
  #replayed(): Command {
    const random = this.#random;
    const { script, keys, args } = random.pick(this.#invocations);
    const other = random.pick(this.#invocations.filter((one) => one.script.sha === script.sha));
    const otherKeys = keys.map((key) => (random.chance(0.03) ? random.pick(this.#keys) : key));
    const mixed = args.map((arg, at) => (random.chance(0.1) ? (other.args[at] ?? arg) : arg));
    return this.#called(script, otherKeys, random.chance(0.02) ? mixed.slice(0, -1) : mixed);
  }

  /** A script with anything, which it may not understand. */
  #madeUp(): Command {
    const random = this.#random;
    const keys = Array.from({ length: random.int(0, 5) }, () => random.pick(this.#keys));
    const args = Array.from({ length: random.int(0, 12) }, () => random.pick(ARGUMENTS));
    return this.#called(random.pick(this.#ending), keys, args);
  }

  #called({ sha }: TimedScript, keys: readonly string[], args: readonly string[]): Command {
    const time = [String(Math.floor(this.#now / 1_000)), String((this.#now % 1_000) * 1_000)];
    return ['EVALSHA', sha, String(keys.length), ...keys, ...args, ...time];
  }

  #plain(): string[] {
    const random = this.#random;
    const key = random.pick(this.#keys);
    const of = (texts: readonly string[]): string => random.pick(texts);
    const some = (texts: readonly string[]): string[] =>
      Array.from({ length: random.int(1, 3) }, () => of(texts));
    const pairs = (one: readonly string[], other: readonly string[]): string[] =>
      some(one).flatMap((text) => [text, of(other)]);
    const whole = (least: number, most: number): string => String(random.int(least, most));
    const trim = random.pick([
      ['MAXLEN', '=', whole(0, 4)],
      ['MINID', '=', of(IDS)],
      ['MAXLEN', whole(0, 4)],
    ]);
    const rest = random.pick([[], ['WITHSCORES'], ['LIMIT', whole(0, 2), whole(0, 3)]]);
    const range = ['COUNT', whole(1, 4)];
    const life = random.pick([whole(1, 30), whole(1, 30), '3600000', '0', '-5']);
    return random.pick([
      ['GET', key],
      ['SET', key, of(TEXTS)],
      ['SET', key, of(TEXTS), 'PX', life],
      ['SET', key, of(TEXTS), random.pick(['NX', 'XX'])],
      ['HSET', key, ...pairs(FIELDS, TEXTS)],
      ['HSET', key, ...pairs(FIELDS, TEXTS)],
      ['HSETNX', key, of(FIELDS), of(TEXTS)],
      ['HGET', key, of(FIELDS)],
      ['HMGET', key, ...some(FIELDS)],
      ['HGETALL', key],
      ['HDEL', key, ...some(FIELDS)],
      ['HLEN', key],
      ['HEXISTS', key, of(FIELDS)],
      ['HINCRBY', key, of(FIELDS), of(['1', '-7', '9223372036854775807'])],
      ['HSCAN', key, '0', 'COUNT', '1000'],
      ['SADD', key, ...some(MEMBERS)],
      ['SREM', key, ...some(MEMBERS)],
      ['SCARD', key],
      ['SMEMBERS', key],
      ['SPOP', key, '1000'],
      ['SSCAN', key, '0', 'COUNT', '1000'],
      ['ZADD', key, ...pairs(SCORES, MEMBERS)],
      ['ZADD', key, '0', of(MEMBERS), '0', of(MEMBERS)],
      ['ZREM', key, ...some(MEMBERS)],
      ['ZSCORE', key, of(MEMBERS)],
      ['ZCARD', key],
      ['ZRANGEBYSCORE', key, of(BOUNDS), of(BOUNDS), ...rest],
      ['ZRANGEBYLEX', key, of(NAMES), of(NAMES), ...(rest.length > 1 ? rest : [])],
      ['XADD', key, of(IDS), ...pairs(FIELDS, TEXTS)],
      ['XADD', key, ...trim, of(IDS), ...pairs(FIELDS, TEXTS)],
      ['XADD', key, '*', ...pairs(FIELDS, TEXTS)],
      ['XADD', key, 'NOMKSTREAM', random.pick(['*', of(IDS)]), ...pairs(FIELDS, TEXTS)],
      ['XTRIM', key, ...trim],
      ['XLEN', key],
      ['XRANGE', key, of(ENDS), of(ENDS), ...range],
      ['XREVRANGE', key, of(ENDS), of(ENDS), ...range],
      ['XRANGE', key, '-', '+'],
      ['DEL', ...some(this.#keys)],
      ['EXISTS', ...some(this.#keys)],
      ['TYPE', key],
      ['PTTL', key],
      ['PEXPIRE', key, life],
      ['PEXPIRE', key, life, ...some(['GT', 'LT', 'NX', 'XX']).slice(0, 2)],
      ['PUBLISH', of(CHANNELS), of(TEXTS)],
      ['SPUBLISH', of(CHANNELS), of(TEXTS)],
      ['EVALSHA', 'f'.repeat(40), '0'],
    ]);
  }

  /** With a word too many, too few, or another one. */
  #spoilt(words: readonly string[]): string[] {
    const random = this.#random;
    const at = random.int(0, words.length - 1);
    return words.toSpliced(at, random.int(0, 1), ...(random.chance(0.6) ? [random.pick(TEXTS)] : []));
  }
}
