import { EventEmitter } from 'node:events';
import type { Use, Wire, WireUser } from './wire.ts';

/** By which a connection is recognised: what ioredis calls it (src/engines/redis/connection/command-connection.ts, src/engines/redis/connection/subscriber-connection.ts). */
const SUBSCRIBER = 'crosspod-subscriber:';
const COMMANDS = 'crosspod:';

/** What a `net.Socket` has of what ioredis uses, on a wire of the model. */
export class SimulatedSocket extends EventEmitter implements WireUser {
  readonly #connect: (user: WireUser) => Wire;
  readonly #used: (wire: Wire, use: Use) => void;
  #wire: Wire | undefined;
  #corks = 0;
  #written: Buffer[] = [];
  #named = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  connecting = true;
  destroyed = false;
  writable = true;
  readonly _writableState = { ended: false };
  readonly remoteAddress = 'model';
  readonly remotePort = 6379;

  /** `used` is told what the connection is for, as soon as that shows. */
  constructor(connect: (user: WireUser) => Wire, used: (wire: Wire, use: Use) => void) {
    super();
    // ioredis adds one each time that it is told to disconnect.
    this.setMaxListeners(0);
    this.#connect = connect;
    this.#used = used;
    this.#wire = this.#connect(this);
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  resume(): this {
    return this;
  }

  pause(): this {
    return this;
  }

  setTimeout(ms: number, late?: () => void): this {
    clearTimeout(this.#timer);
    if (ms === 0) return this;
    if (late !== undefined) this.once('timeout', late);
    this.#timer = setTimeout(() => this.emit('timeout'), ms);
    return this;
  }

  cork(): void {
    this.#corks += 1;
  }

  uncork(): void {
    if (this.#corks > 0) this.#corks -= 1;
    if (this.#corks > 0 || this.#written.length === 0) return;
    const bytes = Buffer.concat(this.#written);
    this.#written = [];
    this.#send(bytes);
  }

  write(data: string | Buffer): boolean {
    if (this.destroyed || this._writableState.ended) return false;
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    if (this.#corks > 0) this.#written.push(bytes);
    else this.#send(bytes);
    return true;
  }

  end(): this {
    if (this._writableState.ended) return this;
    this.#corks = 0;
    this.uncork();
    this._writableState.ended = true;
    this.writable = false;
    // What is not connected yet is ended when it is.
    if (!this.connecting) this.#wire?.end();
    else this.destroy();
    return this;
  }

  destroy(error?: Error): this {
    if (this.destroyed) return this;
    this.#over(error);
    this.#wire?.destroy();
    return this;
  }

  #send(bytes: Buffer): void {
    if (this.destroyed || this.#wire === undefined) return;
    if (!this.#named) this.#learnUse(this.#wire, bytes);
    this.#wire.write(bytes);
  }

  #learnUse(wire: Wire, bytes: Buffer): void {
    const text = bytes.toString('latin1', 0, 400);
    const use = text.includes(SUBSCRIBER) ? 'subscriber' : text.includes(COMMANDS) ? 'commands' : undefined;
    if (use === undefined) return;
    this.#named = true;
    this.#used(wire, use);
  }

  #over(error?: Error): void {
    this.destroyed = true;
    this.writable = false;
    this.connecting = false;
    clearTimeout(this.#timer);
    process.nextTick(() => {
      if (error !== undefined) this.emit('error', error);
      this.emit('close', error !== undefined);
    });
  }

  connected(): void {
    if (this.destroyed) return;
    this.connecting = false;
    this.emit('connect');
  }

  refused(): void {
    if (!this.destroyed)
      this.#over(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
  }

  data(bytes: Buffer): void {
    if (!this.destroyed) this.emit('data', bytes);
  }

  ended(reset: boolean): void {
    if (this.destroyed) return;
    if (reset) return this.#over(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
    this.emit('end');
    this.#over();
  }
}
