import type { Connection } from '../../../src/core/delivery/connection.ts';
import type { Kernel, Strand } from '../kernel/kernel.ts';
import { Pipe } from './pipe.ts';
import { PodEnd, type ToClient } from '../pods/pod-end.ts';
import type { Random } from '../../hostile/random.ts';
import type { SimulatedPod } from '../pods/pod.ts';

/** As a WebSocket client is told of an end without a close frame. */
const ABNORMAL = 1006;

/** What the client's end is told. */
export interface LineUser {
  opened(line: Line): void;
  frame(line: Line, text: string): void;
  /** It is over; `status` is that of a handshake that was refused, and 0 where nobody answered it. */
  closed(
    line: Line,
    code: number,
    refusal?: { readonly status: number; readonly retryAfterMs: number },
  ): void;
}

type ToPod =
  | { readonly kind: 'handshake' | 'pong' | 'lost' }
  | { readonly kind: 'frame'; readonly text: string }
  | { readonly kind: 'close'; readonly code: number }
  | { readonly kind: 'taken'; readonly bytes: number };

export interface LineOptions {
  readonly kernel: Kernel;
  readonly random: Random;
  readonly client: Strand;
  readonly pod: SimulatedPod;
  /** What is asked for, as `/ws?user_id=…`. */
  readonly target: string;
  /** Bytes that the systems between the two hold. */
  readonly buffer: number;
  readonly user: LineUser;
}

/** A WebSocket between a client and a pod, as two pipes of whole frames. */
export class Line {
  readonly pod: SimulatedPod;
  readonly #options: LineOptions;
  readonly #toPod: Pipe<ToPod>;
  readonly #toClient: Pipe<ToClient>;
  #podEnd: PodEnd | undefined;
  /** Of the client's side. */
  #state: 'connecting' | 'open' | 'closing' | 'closed' = 'connecting';
  #podGone = false;

  constructor(options: LineOptions) {
    const { kernel, random, client, pod } = options;
    this.pod = pod;
    this.#options = options;
    const delay = (): number => 0.1 + random.next() ** 2 * 8;
    this.#toPod = new Pipe({ kernel, to: pod.strand, delay, deliver: (items) => this.#atPod(items) });
    this.#toClient = new Pipe({ kernel, to: client, delay, deliver: (items) => this.#atClient(items) });
    this.#toPod.send({ kind: 'handshake' });
    if (pod.strand.dead) this.podDied();
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get isOver(): boolean {
    return this.#state === 'closed';
  }

  send(text: string): void {
    if (this.#state === 'open') this.#toPod.send({ kind: 'frame', text });
  }

  /** A clean close. */
  close(code = 1000): void {
    if (this.#state === 'connecting') return this.drop(0, true);
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#toPod.send({ kind: 'close', code });
  }

  /** Whether the client takes what comes. */
  set reading(reading: boolean) {
    this.#toClient.stalled = !reading;
  }

  /**
   * The client's end is gone without a word. The pod's system notices after so many milliseconds, or not before its
   * heartbeat does; what the client had said just before arrives, or is lost.
   */
  drop(noticedAfterMs: number | undefined, arrives: boolean): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#toClient.close();
    if (!arrives) this.#toPod.close();
    if (noticedAfterMs === undefined) return;
    this.#notice(noticedAfterMs + 20);
  }

  /** Whatever kept the pod's system from noticing that the client is gone is over. */
  mend(): void {
    if (this.#state === 'closed' && !this.#podGone) this.#notice(0);
  }

  #notice(ms: number): void {
    this.#options.kernel.after(ms, this.pod.strand, () => {
      this.#toPod.close();
      this.#podEnd?.lost();
      this.#podGone = true;
    });
  }

  /** The pod's process is gone; its system says so, unless the machine is gone as well. */
  podDied(silently = false): void {
    this.#toPod.close();
    this.#podGone = true;
    if (!silently) this.#toClient.send({ kind: 'lost' });
  }

  #atPod(items: ToPod[]): void {
    for (const item of items) {
      switch (item.kind) {
        case 'handshake':
          void this.#shakeHands();
          break;
        case 'frame':
          this.#podEnd?.heard(item.text);
          break;
        case 'pong':
          this.#podEnd?.ponged();
          break;
        case 'close':
          this.#podEnd?.closed(item.code);
          break;
        case 'taken':
          this.#podEnd?.taken(item.bytes);
          break;
        case 'lost':
          break;
      }
    }
  }

  async #shakeHands(): Promise<void> {
    const { pod } = this;
    const { parts } = pod;
    const { kernel, target, buffer } = this.#options;
    if (parts === undefined || !pod.open) return this.#toClient.send({ kind: 'lost' });
    const { admission, gateway } = parts;
    const id = parts.pod.ids.connection();
    const admitted = await admission.admit({ url: target, headers: {} }, id);
    if ('status' in admitted) {
      const { status, retryAfterSeconds = 0 } = admitted;
      return this.#toClient.send({ kind: 'refused', status, retryAfterMs: retryAfterSeconds * 1_000 });
    }
    if (this.#podGone) return admission.dismiss(id, admitted);
    const send = (item: ToClient): void => this.#toClient.send(item);
    const socket = new PodEnd({ kernel, strand: pod.strand, gateway, buffer, send, over: () => undefined });
    this.#podEnd = socket;
    send({ kind: 'open' });
    const connection: Connection = gateway.open({
      id,
      principal: admitted.principal,
      address: admitted.target.address,
      dialect: admitted.target.dialect,
      socket,
    });
    socket.connection = connection;
  }

  #atClient(items: ToClient[]): void {
    for (const item of items) {
      if (this.#state === 'closed') return;
      this.#take(item);
    }
  }

  #take(item: ToClient): void {
    const { kernel, user } = this.#options;
    switch (item.kind) {
      case 'open':
        if (this.#state === 'connecting') this.#state = 'open';
        user.opened(this);
        break;
      case 'frames':
        kernel.trace(item.text);
        this.#toPod.send({ kind: 'taken', bytes: item.text.length });
        for (const text of item.text.split('\n')) if (!this.isOver) user.frame(this, text);
        break;
      case 'ping':
        this.#toPod.send({ kind: 'pong' });
        break;
      case 'refused':
        this.#end(ABNORMAL, item);
        break;
      case 'close':
        if (this.#state === 'open') this.#toPod.send({ kind: 'close', code: item.code });
        this.#end(item.code);
        break;
      case 'lost':
        this.#end(ABNORMAL, this.#state === 'connecting' ? { status: 0, retryAfterMs: 0 } : undefined);
        break;
    }
  }

  #end(code: number, refusal?: { status: number; retryAfterMs: number }): void {
    const { user } = this.#options;
    this.#state = 'closed';
    user.closed(this, code, refusal);
  }
}
