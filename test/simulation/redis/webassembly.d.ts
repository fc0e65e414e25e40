/** What of WebAssembly is used: the library of types that has it is that of browsers. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
    static imports(module: Module): { readonly module: string; readonly name: string }[];
  }
  class Instance {
    constructor(module: Module, imports: Imports);
    readonly exports: Record<string, unknown>;
  }
  interface Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  interface Table {
    get(at: number): unknown;
    set(at: number, value: unknown): void;
    grow(by: number): number;
  }
  type Imports = Record<string, Record<string, (...args: number[]) => unknown>>;
}
