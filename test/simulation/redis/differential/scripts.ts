import { createHash } from 'node:crypto';
import { globSync } from 'node:fs';
import { readScript } from '../../../../src/engines/redis/connection/script.ts';

/**
 * Goes before a script, in the same line so that its errors name the same ones: TIME gives what the last two arguments
 * say. Two servers never have the same time, and names and positions are made of it.
 */
const TIME_TOLD =
  "local micros, seconds = table.remove(ARGV), table.remove(ARGV); local redis = setmetatable({ call = function(name, ...) if name == 'TIME' then return { seconds, micros } end return redis.call(name, ...) end }, { __index = redis }); ";
const SOURCE = new URL('../../../../src/engines/redis/lua/', import.meta.url);

export interface TimedScript {
  readonly lua: string;
  readonly sha: string;
  /** It takes members of a set in any order, or says what it found in one. */
  readonly isShuffled: boolean;
}

/** The form of a script that is told the time. */
export function timed(lua: string): TimedScript {
  const text = TIME_TOLD + lua;
  return {
    lua: text,
    sha: createHash('sha1').update(text).digest('hex'),
    isShuffled: /'(?:SPOP|HSCAN|SSCAN)'/.test(lua),
  };
}

/** Every script of the product by its name, such as `history/append`, in the form for one server and in that for a Cluster. */
export function allScripts(): ReadonlyMap<string, readonly [alone: TimedScript, clustered: TimedScript]> {
  const names = globSync('**/*.lua', { cwd: SOURCE }).filter((name) => !name.endsWith('shared.lua'));
  return new Map(
    names.toSorted().map((name) => {
      const { alone, clustered } = readScript(new URL(name, SOURCE));
      return [name.replace('.lua', ''), [timed(alone.lua), timed(clustered.lua)]];
    }),
  );
}
