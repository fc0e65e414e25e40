import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';

/**
 * Talks to a pod with no more globals than React Native 0.72 has (its URL: Libraries/Blob/URL.js), then says what it
 * heard. Run with the address of the pod.
 */
class PoorUrl {
  readonly href: string;

  constructor(href: string) {
    this.href = href;
  }

  get searchParams(): unknown {
    throw new Error('URLSearchParams.set is not implemented');
  }

  get protocol(): string {
    throw new Error('URL.protocol is not implemented');
  }
}

const [, , address = ''] = process.argv;

/** In place of Node's, which needs the whole URL. */
const fetch = (url: string, { headers }: { headers: Record<string, string> }): Promise<object> =>
  new Promise((resolve, reject) => {
    const request = get(url, { headers }, (answer) => {
      const [read, { statusCode, headers }] = [text(answer), answer];
      const json = async (): Promise<unknown> => JSON.parse(await read);
      resolve({ status: statusCode, headers: new Map(Object.entries(headers)), json });
    });
    request.on('error', reject);
  });

const missing = ['FinalizationRegistry', 'WeakRef', 'atob', 'structuredClone', 'TextEncoder', 'Event'];
for (const name of missing) Reflect.deleteProperty(globalThis, name);
Reflect.deleteProperty(Promise, 'withResolvers');
Object.assign(globalThis, { URL: PoorUrl, WebSocket, fetch, addEventListener: undefined });

// Not before: what it needs when it is loaded must not be there either.
const { Crosspod } = await import('../../src/client/client.ts');

const payload = Buffer.from(JSON.stringify({ exp: 4_000_000_000, sub: 'ännie' })).toString('base64url');
const client = new Crosspod(address.replace('ws:', 'http:'), {
  userId: 'ann lee',
  getToken: () => `x.${payload}.x`,
});
const room = client.room<{ chat: string }>('r');
const heard = new Promise((resolve) => room.on('chat', resolve));
await room.join({ history: 5, members: false });
await room.send('ü');
console.log(JSON.stringify(await heard));
// A handshake that is refused is asked for its reason by a plain request.
const refused = new Crosspod(`${address}/-no-room`);
refused.onState((state, ended) => {
  console.log(state, ended?.code, ended?.reason);
  client.close();
});
