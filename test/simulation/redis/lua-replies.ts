import type { LuaMachine } from './lua-machine.ts';
import {
  Bag,
  Double,
  formatNumber,
  NO_LIST,
  Pairs,
  Push,
  Refused,
  type Reply,
  Scored,
  Status,
} from './replies.ts';

const BOOLEAN = 1;
const NUMBER = 3;
const STRING = 4;
const TABLE = 5;

/** Replies on the stack of Lua, as Redis converts them (https://redis.io/docs/latest/develop/programmability/lua-api/#data-type-conversion). */
export class LuaReplies {
  readonly #machine: LuaMachine;

  constructor(machine: LuaMachine) {
    this.#machine = machine;
  }

  push(reply: Reply): void {
    const { c, state } = this.#machine;
    if (typeof reply === 'string') this.#machine.push(reply);
    else if (typeof reply === 'number' || typeof reply === 'bigint') c.lua_pushnumber(state, Number(reply));
    else if (reply === null || reply === NO_LIST) c.lua_pushboolean(state, 0);
    else if (reply instanceof Status) this.#pushField('ok', reply.text);
    else if (reply instanceof Refused) this.#pushField('err', reply.text);
    else if (reply instanceof Double) this.#machine.push(formatNumber(reply.value));
    else this.#pushList(itemsOf(reply));
  }

  /** What a script has given. */
  read(index: number): Reply {
    const { c, state } = this.#machine;
    switch (c.lua_type(state, index)) {
      case STRING:
        return this.#machine.text(index);
      case NUMBER:
        return truncated(c.lua_tonumber(state, index));
      case BOOLEAN:
        return c.lua_toboolean(state, index) === 0 ? null : 1;
      case TABLE:
        return this.#readTable(index);
      default:
        return null;
    }
  }

  /** A text in the table at this place; undefined where it is no text, or that no table. */
  field(index: number, name: string): string | undefined {
    const { c, state } = this.#machine;
    if (c.lua_type(state, index) !== TABLE) return undefined;
    c.lua_getfield(state, index, this.#machine.name(name));
    const text = c.lua_type(state, -1) === STRING ? this.#machine.text(-1) : undefined;
    c.lua_settop(state, -2);
    return text;
  }

  #readTable(index: number): Reply {
    const { c, state } = this.#machine;
    const error = this.field(index, 'err');
    if (error !== undefined) return new Refused(error);
    const status = this.field(index, 'ok');
    if (status !== undefined) return new Status(status);
    const items: Reply[] = [];
    for (;;) {
      c.lua_rawgeti(state, index, items.length + 1);
      const isEnd = c.lua_type(state, -1) === 0;
      if (!isEnd) items.push(this.read(-1));
      c.lua_settop(state, -2);
      if (isEnd) return items;
    }
  }

  #pushField(name: string, text: string): void {
    const { c, state } = this.#machine;
    c.lua_createtable(state, 0, 1);
    this.#machine.push(text);
    c.lua_setfield(state, -2, this.#machine.name(name));
  }

  #pushList(items: readonly Reply[]): void {
    const { c, state } = this.#machine;
    c.lua_createtable(state, items.length, 0);
    for (let at = 0; at < items.length; at += 1) {
      this.push(items[at] ?? null);
      c.lua_rawseti(state, -2, at + 1);
    }
  }
}

function itemsOf(reply: Pairs | Scored | Bag | Push | readonly Reply[]): readonly Reply[] {
  if (reply instanceof Pairs || reply instanceof Scored) return reply.flat;
  if (reply instanceof Bag) return reply.members;
  return reply instanceof Push ? reply.items : reply;
}

/** As C makes a `long long` of a number. */
function truncated(value: number): number | bigint {
  const whole = Math.trunc(value);
  if (Number.isSafeInteger(whole)) return whole + 0;
  const most = 2n ** 63n;
  if (!Number.isFinite(whole) || BigInt(whole) >= most || BigInt(whole) < -most) return -most;
  return BigInt(whole);
}
