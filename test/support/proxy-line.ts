import { connect, type Socket } from 'node:net';
import { Passage } from './proxy-passage.ts';
import type { Direction, Weather } from './proxy-weather.ts';

/** As much of what a client says first as it takes to know it by. */
const GREETING_BYTES = 1_000;

/** One connection through the proxy: from the client to here (near), from here to the server (far). */
export class Line {
  readonly #near: Socket;
  readonly #target: number;
  /** What does not pass, and what passes late; the proxy changes it, then calls `update`. */
  readonly #weather: Weather;
  readonly #onEnd: () => void;
  readonly #passages: Readonly<Record<Direction, Passage>>;
  #far: Socket | undefined;
  #greeting = '';

  constructor(near: Socket, target: number, weather: Weather, onEnd: () => void) {
    this.#near = near;
    this.#target = target;
    this.#weather = weather;
    this.#onEnd = onEnd;
    this.#passages = { 'to-server': this.#passage('to-server'), 'to-client': this.#passage('to-client') };
    this.#watch(near);
    this.update();
  }

  /** Lets pass what may pass now, and holds the rest. */
  update(): void {
    // The server cannot know of a client whose packets are lost, nor the client be told that the server answered.
    const isCut = this.#isSilent('to-server') || this.#isSilent('to-client');
    if (!isCut && !this.#near.destroyed) this.#far ??= this.#reach();
    const far = this.#far;
    if (far === undefined) return;
    this.#join(this.#near, far, 'to-server');
    this.#join(far, this.#near, 'to-client');
  }

  /** Resets both connections. */
  break(): void {
    this.#near.resetAndDestroy();
    this.#far?.resetAndDestroy();
  }

  #passage(direction: Direction): Passage {
    const delayMs = (): number => (this.#isConcerned() ? (this.#weather.delayMs.get(direction) ?? 0) : 0);
    const hear = (chunk: Buffer): void => {
      if (direction === 'to-server' && this.#greeting.length < GREETING_BYTES) this.#hear(chunk);
    };
    return new Passage(delayMs, hear);
  }

  /** Who it is that comes may matter for what passes. */
  #hear(chunk: Buffer): void {
    this.#greeting += chunk.toString('latin1');
    if (this.#weather.concerns !== undefined) queueMicrotask(() => this.update());
  }

  #isConcerned(): boolean {
    const { concerns } = this.#weather;
    return concerns === undefined || (this.#greeting !== '' && concerns(this.#greeting));
  }

  #isSilent(direction: Direction): boolean {
    return this.#weather.silent.has(direction) && this.#isConcerned();
  }

  #reach(): Socket {
    const far = connect({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true });
    this.#watch(far);
    this.#passages['to-server'].pipe(far);
    this.#passages['to-client'].pipe(this.#near);
    return far;
  }

  #join(from: Socket, to: Socket, direction: Direction): void {
    const passage = this.#passages[direction];
    from.unpipe(passage);
    if (this.#isSilent(direction)) from.pause();
    else if (from.errored !== null) to.destroy();
    else from.pipe(passage);
  }

  #watch(socket: Socket): void {
    // An orderly end passes like bytes; what ends otherwise ends the other one, unless it may not be told.
    socket.on('error', () => this.update());
    socket.on('close', () => {
      if (this.#near.closed && this.#far?.closed !== false) this.#onEnd();
    });
  }
}
