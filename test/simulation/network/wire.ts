import type { Address, ModelConnection } from '../redis/server.ts';
import type { Kernel, Strand } from '../kernel/kernel.ts';
import { Pipe } from './pipe.ts';
import type { Random } from '../../hostile/random.ts';

/** A server that can be connected to. */
export interface Endpoint {
  readonly name: string;
  readonly address: Address;
  readonly strand: Strand;
  /** Whether anything is listening there; if not, connections are refused and those there are reset. */
  listening: boolean;
  connect(send: (bytes: Buffer) => void, closed: () => void): ModelConnection;
}

/** What a pod uses a connection for. */
export type Use = 'commands' | 'subscriber' | 'other';
export type Way = 'to-server' | 'to-pod';

/** What the pod's end of a connection is told. */
export interface WireUser {
  connected(): void;
  /** Nobody listens there. */
  refused(): void;
  data(bytes: Buffer): void;
  /** The server has ended it, or it broke. */
  ended(reset: boolean): void;
}

type Item = Buffer | 'open' | 'end' | 'reset';

export interface WireOptions {
  readonly kernel: Kernel;
  readonly random: Random;
  /** The pod's name and strand. */
  readonly pod: Strand;
  readonly endpoint: Endpoint;
  readonly user: WireUser;
  /** It is over, and no fault can befall it any more. */
  readonly over: (wire: Wire) => void;
  /** The pod has said something. */
  readonly wrote: () => void;
}

/** One TCP connection between a pod and a server of the model: two directions, each with its own troubles. */
export class Wire {
  readonly pod: Strand;
  readonly endpoint: Endpoint;
  readonly #options: WireOptions;
  readonly #toServer: Pipe<Item>;
  readonly #toPod: Pipe<Item>;
  #connection: ModelConnection | undefined;
  #established = false;
  #podGone = false;
  #serverGone = false;
  use: Use = 'other';

  constructor(options: WireOptions) {
    const { kernel, random, pod, endpoint } = options;
    this.#options = options;
    this.pod = pod;
    this.endpoint = endpoint;
    const delay = (): number => 0.05 + random.next() ** 3 * 3;
    this.#toServer = new Pipe({
      kernel,
      to: endpoint.strand,
      delay,
      deliver: (items) => this.#atServer(items),
    });
    this.#toPod = new Pipe({ kernel, to: pod, delay, deliver: (items) => this.#atPod(items) });
  }

  /** To be called once its troubles are set. */
  open(): void {
    this.#toServer.send('open');
    // A system takes connections though the process that listens is frozen.
    if (this.endpoint.listening) this.#toPod.send('open');
    else this.#toPod.send('reset');
  }

  /** How it fares at present. */
  impair(way: Way, { stalled, extraMs }: { stalled: boolean; extraMs: number }): void {
    const pipe = way === 'to-server' ? this.#toServer : this.#toPod;
    pipe.extraMs = extraMs;
    pipe.stalled = stalled;
  }

  /** The pod says something. */
  write(bytes: Buffer): void {
    if (this.#podGone) return;
    this.#options.kernel.traceBytes(bytes);
    this.#options.wrote();
    this.#toServer.send(bytes);
  }

  /** The pod will say no more; the server ends it as well. */
  end(): void {
    if (!this.#podGone) this.#toServer.send('end');
  }

  /** The pod wants no more of it; what is under way to the server arrives all the same. */
  destroy(): void {
    if (this.#podGone) return;
    this.#toServer.send('end');
    this.#leave();
  }

  /** It breaks: what is under way is lost, and both ends are told. */
  reset(): void {
    this.#toServer.close();
    this.#endConnection();
    if (this.#podGone) return;
    this.#podGone = true;
    this.#toPod.close();
    const { kernel, user } = this.#options;
    kernel.after(0, this.pod, () => user.ended(true));
    this.#options.over(this);
  }

  #leave(): void {
    this.#podGone = true;
    this.#toPod.close();
    if (this.#serverGone) this.#options.over(this);
  }

  #atServer(items: Item[]): void {
    const bytes: Buffer[] = [];
    for (const item of items) {
      if (item === 'open') this.#accept();
      else if (typeof item !== 'string') bytes.push(item);
    }
    if (!this.endpoint.listening || this.#serverGone) {
      // A process that is no more has its system answer.
      if (!this.#serverGone) this.#toPod.send('reset');
      this.#serverGone = true;
    } else if (bytes.length > 0)
      this.#connection?.receive(bytes.length === 1 ? (bytes[0] as Buffer) : Buffer.concat(bytes));
    if (items.at(-1) !== 'end') return;
    this.#endConnection();
    if (this.#podGone) this.#options.over(this);
    else this.#toPod.send('end');
  }

  #accept(): void {
    if (!this.endpoint.listening) return;
    const { kernel } = this.#options;
    this.#connection = this.endpoint.connect(
      (bytes) => {
        kernel.traceBytes(bytes);
        this.#toPod.send(bytes);
      },
      () => {
        this.#serverGone = true;
        this.#connection = undefined;
        this.#toPod.send('end');
      },
    );
  }

  #endConnection(): void {
    this.#serverGone = true;
    this.#connection?.close();
    this.#connection = undefined;
  }

  #atPod(items: Item[]): void {
    const { user } = this.#options;
    const bytes: Buffer[] = [];
    for (const item of items) {
      if (this.#podGone) return;
      if (item === 'open') {
        this.#established = true;
        user.connected();
      } else if (typeof item === 'string') {
        if (bytes.length > 0) user.data(Buffer.concat(bytes.splice(0)));
        this.#finish(item === 'reset');
      } else bytes.push(item);
    }
    if (bytes.length > 0 && !this.#podGone)
      user.data(bytes.length === 1 ? (bytes[0] as Buffer) : Buffer.concat(bytes));
  }

  #finish(reset: boolean): void {
    const { user } = this.#options;
    this.#podGone = true;
    this.#options.over(this);
    if (this.#established) user.ended(reset);
    else user.refused();
  }
}
