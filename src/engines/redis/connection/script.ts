import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SOURCES } from '../../../files.ts';

/** A Lua script that Redis runs as one step, in its forms for one server and for a Cluster. */
export interface Script {
  readonly alone: ScriptText;
  readonly clustered: ScriptText;
}

export interface ScriptText {
  readonly lua: string;
  /** For EVALSHA. */
  readonly sha: string;
}

/** A first line that names a file to put before the script, relative to it. */
const SHARING = /^-- with (\S+)\n/;

/** Reads scripts by name from a folder of `engines/redis/lua`. */
export function scriptsIn(folder: string): (name: string) => Script {
  return (name) => readScript(new URL(`engines/redis/lua/${folder}/${name}.lua`, SOURCES));
}

/** Call it while modules load, so that a missing script keeps the pod from starting. */
export function readScript(file: URL): Script {
  const own = readFileSync(file, 'utf8');
  const shared = SHARING.exec(own)?.[1];
  const lua = shared === undefined ? own : readFileSync(new URL(shared, file), 'utf8') + own;
  return {
    alone: textOf(`local CLUSTER, PUBLISH = false, 'PUBLISH'\n${lua}`),
    clustered: textOf(`local CLUSTER, PUBLISH = true, 'SPUBLISH'\n${lua}`),
  };
}

function textOf(lua: string): ScriptText {
  return { lua, sha: createHash('sha1').update(lua).digest('hex') };
}
