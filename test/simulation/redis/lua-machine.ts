import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A Lua state, a function of C: addresses in the memory of the machine. */
type Pointer = number;

/** What of the C interface of Lua 5.1 is used (https://www.lua.org/manual/5.1/manual.html#3.7). */
interface LuaFunctions {
  readonly memory: WebAssembly.Memory;
  readonly __indirect_function_table: WebAssembly.Table;
  __wasm_call_ctors(): void;
  emscripten_stack_init(): void;
  stackSave(): number;
  stackRestore(at: number): void;
  setThrew(threw: number, value: number): void;
  malloc(bytes: number): Pointer;
  free(at: Pointer): void;
  luaL_newstate(): Pointer;
  luaL_openlibs(state: Pointer): void;
  luaL_loadbuffer(state: Pointer, text: Pointer, length: number, name: Pointer): number;
  luaL_ref(state: Pointer, table: number): number;
  lua_pcall(state: Pointer, args: number, results: number, handler: number): number;
  lua_error(state: Pointer): never;
  lua_gettop(state: Pointer): number;
  lua_settop(state: Pointer, index: number): void;
  lua_type(state: Pointer, index: number): number;
  lua_tonumber(state: Pointer, index: number): number;
  lua_toboolean(state: Pointer, index: number): number;
  lua_tolstring(state: Pointer, index: number, length: Pointer): Pointer;
  lua_pushnil(state: Pointer): void;
  lua_pushboolean(state: Pointer, value: number): void;
  lua_pushnumber(state: Pointer, value: number): void;
  lua_pushlstring(state: Pointer, text: Pointer, length: number): void;
  lua_pushcclosure(state: Pointer, code: number, upvalues: number): void;
  lua_createtable(state: Pointer, list: number, named: number): void;
  lua_getfield(state: Pointer, index: number, name: Pointer): void;
  lua_setfield(state: Pointer, index: number, name: Pointer): void;
  lua_rawgeti(state: Pointer, index: number, at: number): void;
  lua_rawseti(state: Pointer, index: number, at: number): void;
  lua_gc(state: Pointer, what: number, data: number): number;
  luaL_where(state: Pointer, level: number): void;
}

const WASM = new URL('liblua5.1.wasm', import.meta.resolve('wasmoon-lua5.1'));
const PAGE = 65_536;
/** Where texts are put for Lua to copy them; what is longer is given memory of its own for the moment. */
const SCRATCH = PAGE;

/** Lua 5.1 itself, as compiled from C to WebAssembly: its functions, its memory, and texts in and out of that. */
export class LuaMachine {
  readonly c: LuaFunctions;
  readonly state: Pointer;
  readonly #names = new Map<string, Pointer>();
  readonly #scratch: Pointer;
  readonly #length: Pointer;
  #bytes = Buffer.alloc(0);
  #lengths = new Uint32Array(0);

  constructor() {
    const module = new WebAssembly.Module(readFileSync(fileURLToPath(WASM)));
    this.c = new WebAssembly.Instance(module, this.#imports(module)).exports as unknown as LuaFunctions;
    this.#mapMemory();
    this.c.emscripten_stack_init();
    this.c.__wasm_call_ctors();
    this.#scratch = this.c.malloc(SCRATCH);
    this.#length = this.c.malloc(4);
    this.state = this.c.luaL_newstate();
  }

  /** Pushes a text, one byte for each of its characters (Latin-1). */
  push(text: string): void {
    const { length } = text;
    if (length <= SCRATCH) {
      this.#bytes.write(text, this.#scratch, 'latin1');
      this.c.lua_pushlstring(this.state, this.#scratch, length);
      return;
    }
    const at = this.c.malloc(length);
    this.#bytes.write(text, at, 'latin1');
    this.c.lua_pushlstring(this.state, at, length);
    this.c.free(at);
  }

  /** The text at this place of the stack (a number there becomes one), as `push` takes it. */
  text(index: number): string {
    const at = this.c.lua_tolstring(this.state, index, this.#length);
    return this.#bytes.toString('latin1', at, at + (this.#lengths[this.#length >> 2] ?? 0));
  }

  /** The address of a name that stays in memory, ended by a zero. */
  name(text: string): Pointer {
    let at = this.#names.get(text);
    if (at === undefined) {
      at = this.c.malloc(text.length + 1);
      this.#bytes.write(`${text}\0`, at, 'latin1');
      this.#names.set(text, at);
    }
    return at;
  }

  /** Pushes the function that this chunk is, or the error that it does not compile; gives whether it does. */
  load(chunk: string, name: string): boolean {
    const at = this.c.malloc(chunk.length);
    this.#bytes.write(chunk, at, 'latin1');
    const failed = this.c.luaL_loadbuffer(this.state, at, chunk.length, this.name(name));
    this.c.free(at);
    return failed === 0;
  }

  /** Pushes a function that Lua can call; it finds its arguments on the stack, and gives how many results it has left there. */
  pushFunction(code: () => number): void {
    const table = this.c.__indirect_function_table;
    const at = table.grow(1);
    table.set(at, callableFromC(code));
    this.c.lua_pushcclosure(this.state, at, 0);
  }

  /** Everything that Lua asks of a platform: to unwind its stack after an error, and memory. Anything else is refused. */
  #imports(module: WebAssembly.Module): WebAssembly.Imports {
    const env: Record<string, (...args: number[]) => unknown> = {
      // C's longjmp and the setjmp that it goes back to (https://emscripten.org/docs/porting/setjmp-longjmp.html).
      _emscripten_throw_longjmp: () => {
        throw Number.POSITIVE_INFINITY;
      },
      invoke_vii: (code = 0, first = 0, second = 0) => this.#invoke(code, first, second),
      emscripten_memcpy_js: (to = 0, from = 0, length = 0) => this.#bytes.copyWithin(to, from, from + length),
      emscripten_resize_heap: (size = 0) => this.#grow(size),
    };
    const imports: Record<string, Record<string, (...args: number[]) => unknown>> = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      const refused = (): never => {
        throw new Error(`Lua asked for ${name}, which the model does not have`);
      };
      (imports[from] ??= {})[name] = (from === 'env' ? env[name] : undefined) ?? refused;
    }
    // It looks for variables of the environment as it starts, and is told that there are none.
    const wasi = (imports['wasi_snapshot_preview1'] ??= {});
    wasi['environ_sizes_get'] = (count = 0, size = 0) => {
      this.#lengths[count >> 2] = 0;
      this.#lengths[size >> 2] = 0;
      return 0;
    };
    wasi['environ_get'] = () => 0;
    return imports;
  }

  #invoke(code: number, first: number, second: number): void {
    const stack = this.c.stackSave();
    try {
      (this.c.__indirect_function_table.get(code) as (first: number, second: number) => void)(first, second);
    } catch (error) {
      this.c.stackRestore(stack);
      if (error !== Number.POSITIVE_INFINITY) throw error;
      this.c.setThrew(1, 0);
    }
  }

  #grow(size: number): number {
    const missing = size - this.#bytes.length;
    this.c.memory.grow(Math.ceil(Math.max(missing, this.#bytes.length / 4) / PAGE));
    this.#mapMemory();
    return 1;
  }

  #mapMemory(): void {
    this.#bytes = Buffer.from(this.c.memory.buffer);
    this.#lengths = new Uint32Array(this.c.memory.buffer);
  }
}

/** A module that only gives back the function that it is given, as one of the type `int f(lua_State *)`. */
const ADAPTER = new WebAssembly.Module(
  Buffer.from(
    [
      '0061736d01000000',
      // The type: takes one number, gives one.
      '01060160017f017f',
      // Import `f` of `e`, which has that type.
      '020701016501660000',
      // Export it as `f`.
      '07050101660000',
    ].join(''),
    'hex',
  ),
);

function callableFromC(code: () => number): unknown {
  return new WebAssembly.Instance(ADAPTER, { e: { f: code } }).exports['f'];
}
