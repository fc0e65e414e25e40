import assert from 'node:assert/strict';
import type { State } from '../../src/client/client.ts';
import { reconnectAfter } from '../../src/protocol/close-codes.ts';
import { settled } from './fake-clock.ts';
import { type Answer, fakeClient } from './fake-platform.ts';
import type { FakeSocket } from './fake-socket.ts';

/** Longer than any wait of the client's own: the last backoff. */
const LONGEST_MS = 30_000;

const AFTER: Readonly<Record<State, readonly State[]>> = {
  connecting: ['connecting', 'connected', 'closed'],
  connected: ['reconnecting', 'closed'],
  reconnecting: ['reconnecting', 'connected', 'closed'],
  closed: [],
};

/** What one step does to the world of the client. */
export type Step = (world: World) => Promise<void> | void;

/** A client whose server, clock, token source and browser are played at random, and what it must never do. */
export class World {
  readonly #it = fakeClient({ getToken: () => this.#token() });
  readonly #states: State[] = ['connecting'];
  #tokens = 1;
  /** What the source answers: the same token, another one, none, or nothing at all. */
  source: 'same' | 'new' | 'none' | 'never' = 'same';
  /** The server wants nobody before; milliseconds of the fake clock. */
  #notBefore = 0;
  /** What a drain asked for, of the socket that said it. */
  #hint: { readonly socket: FakeSocket; readonly ms: number } | undefined;
  /** The token that the server no longer takes. */
  #worthless: string | undefined;
  #dialled = 0;

  constructor() {
    this.#it.client.onState((state) => {
      assert(AFTER[this.#states.at(-1) ?? 'closed'].includes(state), state);
      this.#states.push(state);
    });
  }

  get socket(): FakeSocket | undefined {
    return this.#it.made.find(({ isOver }) => !isOver);
  }

  async run(steps: readonly Step[]): Promise<void> {
    await settled();
    this.#check();
    for (const step of steps) {
      await step(this);
      await settled();
      this.#check();
    }
    await this.#comesBack();
  }

  welcomes(): void {
    if (this.#it.client.state !== 'connected') this.socket?.welcomes();
  }

  drains(ms: number): void {
    const { socket } = this;
    if (this.#it.client.state !== 'connected' || socket === undefined) return;
    socket.says({ type: 'system', event: 'drain', data: { reconnect_after_ms: ms } });
    this.#hint = { socket, ms };
  }

  /** The socket ends; where that is a handshake that failed, the server would say so to whoever asks. */
  ends(code: number, answer: Answer | undefined): void {
    const { socket } = this;
    if (socket === undefined) return;
    const refused = code === 1006 && this.#it.client.state !== 'connected';
    // 200: an upgrade would be taken. What has no code is a proxy's.
    const told = refused && answer?.status !== 200 ? answer : undefined;
    this.#it.platform.answer = answer;
    // The client may have given up the socket that said it, and be on another one.
    const hint = this.#hint?.socket === socket ? this.#hint.ms : undefined;
    this.#notBefore = this.#it.clock.now() + (hint ?? 1_000 * Number(told?.retryAfter ?? 0));
    // A 401 with a wait is for a token that is not valid yet.
    const isWorthless = (told?.status === 401 && !Number(told.retryAfter)) || told?.status === 403;
    const ended = isWorthless && told.code !== undefined;
    if (ended || reconnectAfter(code) === 'new-token') this.#worthless = socket.protocols[1];
    socket.ends(code);
  }

  async passes(ms: number): Promise<void> {
    // In small steps, each of which is checked.
    for (let rest = ms; rest > 0; rest -= 500) {
      await this.#it.clock.advance(Math.min(rest, 500));
      this.#check();
    }
  }

  hints(hint: 'worse' | 'better'): void {
    this.#it.platform.hints(hint);
  }

  close(): void {
    this.#it.client.close();
  }

  #token(): string | Promise<string> {
    if (this.source === 'never') return new Promise(() => {});
    if (this.source === 'none') throw new Error('no token to be had');
    if (this.source === 'new') this.#tokens += 1;
    return `t${this.#tokens}`;
  }

  #check(): void {
    const { made, client, clock, platform } = this.#it;
    const inUse = made.filter(({ isOver }) => !isOver);
    assert(inUse.length <= 1, 'more than one socket is in use');
    const isClosed = client.state === 'closed';
    assert.equal(inUse.length === 0 && clock.due.length === 0, isClosed, 'nothing is under way');
    assert.equal(platform.watched, !isClosed);
    if (client.state === 'connected') assert.equal(inUse.length, 1);
    if (made.length > this.#dialled) this.#checkDial(made.at(-1));
    this.#dialled = made.length;
  }

  #checkDial(socket: FakeSocket | undefined): void {
    assert(this.#it.clock.now() >= this.#notBefore, 'sooner than the server wants');
    assert.notEqual(socket?.protocols[1], this.#worthless, 'with a worthless token');
  }

  /** Whatever has happened, it dials again when the world is well, unless it was told to stay away. */
  async #comesBack(): Promise<void> {
    const { client, clock } = this.#it;
    if (client.state === 'closed' || client.state === 'connected') return;
    this.source = 'new';
    const end = Math.max(clock.now(), this.#notBefore) + 3 * LONGEST_MS;
    while (this.socket === undefined && clock.now() < end) await this.passes(500);
    this.welcomes();
    assert.equal(client.state, 'connected');
  }
}
