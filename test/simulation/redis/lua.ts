/** A real Lua 5.1 that runs the scripts of all model servers of a process; make one and hand it to each of them. */
export class Lua {}
