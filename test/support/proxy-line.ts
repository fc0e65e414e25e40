import { connect, type Socket } from 'node:net';

/** Which way bytes go: from clients to the server, from the server to clients. */
export type Direction = 'to-server' | 'to-client';

/** One connection through the proxy: from the client to here (near), from here to the server (far). */
export class Line {
  readonly #near: Socket;
  readonly #target: number;
  /** What does not pass; the proxy changes it, then calls `update`. */
  readonly #silent: ReadonlySet<Direction>;
  readonly #onEnd: () => void;
  #far: Socket | undefined;

  constructor(near: Socket, target: number, silent: ReadonlySet<Direction>, onEnd: () => void) {
    this.#near = near;
    this.#target = target;
    this.#silent = silent;
    this.#onEnd = onEnd;
    this.#watch(near);
    this.update();
  }

  /** Lets pass what may pass now, and holds the rest. */
  update(): void {
    // The server cannot know of a client whose packets are lost, nor the client be told that the server answered.
    if (this.#silent.size === 0 && !this.#near.destroyed) this.#far ??= this.#reach();
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

  #reach(): Socket {
    const far = connect({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true });
    this.#watch(far);
    return far;
  }

  #join(from: Socket, to: Socket, direction: Direction): void {
    from.unpipe(to);
    if (this.#silent.has(direction)) from.pause();
    else if (from.errored !== null) to.destroy();
    else from.pipe(to);
  }

  #watch(socket: Socket): void {
    // An orderly end passes like bytes; what ends otherwise ends the other one, unless it may not be told.
    socket.on('error', () => this.update());
    socket.on('close', () => {
      if (this.#near.closed && this.#far?.closed !== false) this.#onEnd();
    });
  }
}
