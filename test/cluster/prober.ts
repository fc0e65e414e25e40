import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { Client } from '../support/client.ts';
import { INGRESS_URL, WS_URL } from './cluster.ts';
import { cookies } from './sticky.ts';

const EVERY_MS = 50;

/** Publishes all the time on one pod, and notes how long nothing of it comes to a client on another. */
export class Prober {
  readonly #timer: NodeJS.Timeout;
  #last = performance.now();
  #longest = 0;

  static async start(): Promise<Prober> {
    const [near = '', far = ''] = [...(await cookies()).values()];
    return new Prober(near, await listener(far));
  }

  private constructor(cookie: string, far: Client) {
    far.ws.on('message', () => this.#note());
    const headers = { cookie, 'Content-Type': 'application/json' };
    const body = JSON.stringify({ data: 'probe' });
    this.#timer = setInterval(() => {
      void fetch(`${INGRESS_URL}/api/rooms/probe/messages`, { method: 'POST', headers, body }).catch(
        () => {},
      );
    }, EVERY_MS);
    onTestFinished(() => clearInterval(this.#timer));
  }

  /** The longest time without a message, in milliseconds. */
  stop(): number {
    clearInterval(this.#timer);
    this.#note();
    return this.#longest;
  }

  #note(): void {
    const now = performance.now();
    this.#longest = Math.max(this.#longest, now - this.#last);
    this.#last = now;
  }
}

async function listener(cookie: string): Promise<Client> {
  const ws = new WebSocket(`${WS_URL}/ws/probe?user_id=prober`, { headers: { cookie } });
  onTestFinished(() => ws.terminate());
  const client = new Client(ws);
  await client.next({ event: 'joined' });
  return client;
}
