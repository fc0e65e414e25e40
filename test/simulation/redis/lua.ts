import { createHash } from 'node:crypto';
import { LuaMachine } from './lua-machine.ts';
import { LuaReplies } from './lua-replies.ts';
import { formatNumber, notModelled, Refused, type Reply } from './replies.ts';

const GLOBALS = -10_002;
const REGISTRY = -10_000;
const NUMBER = 3;
const STRING = 4;
/** Garbage is collected once there is ten times as much as was left the last time. */
const SET_PAUSE = 6;
/** What the source of every script is called, as in Redis; it stands in the errors. */
const SOURCE = '@user_script';

/** Takes away what Redis does not give to scripts, and gives the function that says where an error was raised. */
const SETUP = `
local getinfo, deny, refuse = debug.getinfo, deny_unknown, refuse_new
for _, name in ipairs({ 'io', 'os', 'package', 'require', 'module', 'dofile', 'loadfile', 'print', 'debug', 'newproxy',
  'deny_unknown', 'refuse_new' }) do _G[name] = nil end
redis = { call = redis_call, pcall = redis_pcall, sha1hex = redis_sha1hex }
for name in pairs(redis) do _G['redis_' .. name] = nil end
cjson = { encode = cjson_encode }
cjson_encode = nil
function redis.error_reply(text) return { err = text } end
function redis.status_reply(text) return { ok = text } end
KEYS, ARGV = {}, {}
setmetatable(_G, { __index = deny, __newindex = refuse })
return function(raised)
  local where = getinfo(2, 'Sl')
  if where and where.what == 'C' then where = getinfo(3, 'Sl') end
  if type(raised) ~= 'table' then raised = { err = 'ERR ' .. tostring(raised) } end
  raised.at = where and where.source .. ':' .. where.currentline
  return raised
end`;

/** Runs one command for a script. Gives what Redis would answer, a Refused too. */
export type Caller = (words: readonly string[]) => Reply;

export interface Invocation {
  readonly sha: string;
  readonly keys: readonly string[];
  readonly args: readonly string[];
  readonly call: Caller;
}

/** A real Lua 5.1 that runs the scripts of all model servers of a process; make one and hand it to each of them. */
export class Lua {
  readonly #machine = new LuaMachine();
  readonly #replies = new LuaReplies(this.#machine);
  /** Where the registry of Lua has the function of each script. */
  readonly #compiled = new Map<string, number>();
  readonly #handler: number;
  #call: Caller | undefined;

  constructor() {
    const { c, state } = this.#machine;
    c.luaL_openlibs(state);
    c.lua_gc(state, SET_PAUSE, 1_000);
    this.#define('redis_call', () => this.#command(true));
    this.#define('redis_pcall', () => this.#command(false));
    this.#define('redis_sha1hex', () => this.#sha1hex());
    this.#define('cjson_encode', () => this.#encodeJson());
    this.#define('deny_unknown', () =>
      this.#raise(`Script attempted to access nonexistent global variable '${this.#machine.text(2)}'`),
    );
    this.#define('refuse_new', () => this.#raise('Attempt to modify a readonly table'));
    if (!this.#machine.load(SETUP, '=setup') || c.lua_pcall(state, 0, 1, 0) !== 0)
      throw new Error(`Lua could not be set up: ${this.#machine.text(-1)}`);
    this.#handler = c.luaL_ref(state, REGISTRY);
  }

  /** Memory that it has taken; it never gives any back. */
  get bytes(): number {
    return this.#machine.c.memory.buffer.byteLength;
  }

  /** Compiles a script under its SHA-1, unless that was done before. Raises Refused. */
  compile(sha: string, text: string): void {
    if (this.#compiled.has(sha)) return;
    const { c, state } = this.#machine;
    if (!this.#machine.load(text, SOURCE)) {
      const error = this.#machine.text(-1);
      c.lua_settop(state, 0);
      throw new Refused(`ERR Error compiling script (new function): ${error}`);
    }
    this.#compiled.set(sha, c.luaL_ref(state, REGISTRY));
  }

  /** Runs a script that was compiled; what it did before an error stays done. Raises Refused. */
  run({ sha, keys, args, call }: Invocation): Reply {
    if (this.#call !== undefined) throw new Error('a script was called while another one runs');
    const { c, state } = this.#machine;
    this.#call = call;
    c.lua_rawgeti(state, REGISTRY, this.#handler);
    c.lua_rawgeti(state, REGISTRY, this.#compiled.get(sha) ?? 0);
    this.#setList('KEYS', keys);
    this.#setList('ARGV', args);
    let failed: boolean;
    try {
      failed = c.lua_pcall(state, 0, 1, 1) !== 0;
    } finally {
      this.#call = undefined;
    }
    const reply = failed ? this.#error(sha) : this.#replies.read(-1);
    c.lua_settop(state, 0);
    if (failed) throw reply;
    return reply;
  }

  #setList(name: string, texts: readonly string[]): void {
    const { c, state } = this.#machine;
    c.lua_createtable(state, texts.length, 0);
    for (let at = 0; at < texts.length; at += 1) {
      this.#machine.push(texts[at] ?? '');
      c.lua_rawseti(state, -2, at + 1);
    }
    c.lua_setfield(state, GLOBALS, this.#machine.name(name));
  }

  #define(name: string, code: () => number): void {
    this.#machine.pushFunction(code);
    this.#machine.c.lua_setfield(this.#machine.state, GLOBALS, this.#machine.name(name));
  }

  #command(raises: boolean): number {
    const { c, state } = this.#machine;
    const words = this.#words();
    const reply = words instanceof Refused ? words : (this.#call?.(words) ?? null);
    this.#replies.push(reply);
    if (raises && reply instanceof Refused) c.lua_error(state);
    return 1;
  }

  #words(): string[] | Refused {
    const { c, state } = this.#machine;
    const count = c.lua_gettop(state);
    if (count === 0) return new Refused('ERR Please specify at least one argument for this redis lib call');
    const words: string[] = [];
    for (let at = 1; at <= count; at += 1) {
      const type = c.lua_type(state, at);
      if (type === STRING) words.push(this.#machine.text(at));
      else if (type === NUMBER) words.push(formatNumber(c.lua_tonumber(state, at)));
      else return new Refused('ERR Lua redis lib command arguments must be strings or integers');
    }
    return words;
  }

  #sha1hex(): number {
    const { c, state } = this.#machine;
    if (c.lua_gettop(state) !== 1) {
      this.#replies.push(new Refused('ERR wrong number of arguments'));
      c.lua_error(state);
    }
    this.#machine.push(createHash('sha1').update(this.#machine.text(1), 'latin1').digest('hex'));
    return 1;
  }

  /** Texts only. */
  #encodeJson(): number {
    if (this.#machine.c.lua_type(this.#machine.state, 1) !== STRING)
      throw notModelled('cjson.encode of no text');
    this.#machine.push(jsonOf(this.#machine.text(1)));
    return 1;
  }

  #raise(what: string): never {
    const { c, state } = this.#machine;
    c.luaL_where(state, 1);
    this.#machine.push(this.#machine.text(-1) + what);
    return c.lua_error(state);
  }

  /** The error that ended a script, with where that was. */
  #error(sha: string): Refused {
    const text = this.#replies.field(-1, 'err') ?? 'ERR unknown error';
    const at = this.#replies.field(-1, 'at');
    return new Refused(at === undefined ? `${text} script: ${sha}.` : `${text} script: ${sha}, on ${at}.`);
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': String.raw`\"`,
  '\\': String.raw`\\`,
  '/': String.raw`\/`,
  '\b': String.raw`\b`,
  '\f': String.raw`\f`,
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
  '\t': String.raw`\t`,
};

/** A text as the library of JSON in Redis writes it. */
function jsonOf(text: string): string {
  // oxlint-disable-next-line no-control-regex
  const escaped = text.replaceAll(/[\u0000-\u001f"/\\\u007f]/g, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(4, '0');
    return ESCAPES[character] ?? `\\u${code}`;
  });
  return `"${escaped}"`;
}
