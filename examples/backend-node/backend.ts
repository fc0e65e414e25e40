import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const GATEWAY_URL = process.env['GATEWAY_URL'] ?? 'http://localhost:8080';
const PORT = Number(process.env['PORT'] ?? 3000);
const JWT_SECRET = required('JWT_SECRET');
const API_KEY = required('API_KEY');
const WEBHOOK_SECRET = required('WEBHOOK_SECRET');

const TOKEN_SECONDS = 3_600;
const ATTEMPTS = 3;
const RETRY_MS = 500;
/** An older webhook request is rejected: an attacker may have recorded it and sent it again. */
const MAX_AGE_SECONDS = 300;
const MAX_BODY_BYTES = 1_048_576;

interface WebhookEvent {
  readonly id: string;
  readonly type: string;
  readonly room: string;
  readonly user_id?: string;
}

/** A request of our own clients that this backend cannot serve. */
class HttpError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A JSON Web Token, signed with HS256. The user may join the room `orders` and read it, but not publish there. */
function issueToken(user: string): string {
  const claims = {
    sub: user,
    exp: Math.floor(Date.now() / 1_000) + TOKEN_SECONDS,
    permissions: ['join:orders', 'presence:orders', 'history:orders'],
  };
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const unsigned = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${unsigned}.${createHmac('sha256', JWT_SECRET).update(unsigned).digest('base64url')}`;
}

/**
 * Publishes an event in a room and returns the message's id. All attempts have the same `Idempotency-Key`, so the
 * message is published once even if an answer was lost.
 */
async function publish(room: string, event: string, data: unknown): Promise<string> {
  const request = {
    method: 'POST',
    headers: { 'X-API-Key': API_KEY, 'Content-Type': 'application/json', 'Idempotency-Key': randomUUID() },
    body: JSON.stringify({ event, data }),
  };
  for (let attempt = 1; ; attempt += 1) {
    const answer = await fetch(`${GATEWAY_URL}/api/rooms/${room}/messages`, request).catch(() => undefined);
    if (answer?.ok === true) return ((await answer.json()) as { id: string }).id;
    const mayWorkLater = answer === undefined || answer.status === 429 || answer.status >= 500;
    if (!mayWorkLater || attempt === ATTEMPTS)
      throw new HttpError(502, `the gateway answered ${answer?.status ?? 'nothing'}`);
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** Whether the gateway sent this webhook request, and recently. */
function isFromGateway(timestamp: string, signature: string, body: Buffer): boolean {
  const hmac = createHmac('sha256', WEBHOOK_SECRET).update(`${timestamp}.`).update(body).digest('hex');
  const expected = Buffer.from(`sha256=${hmac}`);
  const given = Buffer.from(signature);
  // A comparison that stops at the first difference would tell an attacker how much of a signature is right.
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false;
  return Math.abs(Date.now() / 1_000 - Number(timestamp)) < MAX_AGE_SECONDS;
}

/** The gateway may send an event twice, with the same id. A real backend keeps the ids in its database. */
const seen = new Set<string>();

function receive({ events }: { readonly events: readonly WebhookEvent[] }): void {
  for (const { id, type, room, user_id: user } of events) {
    if (seen.has(id)) continue;
    seen.add(id);
    console.log(['webhook', type, room, ...(user === undefined ? [] : [user])].join(' '));
  }
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  switch (`${request.method} ${pathname}`) {
    case 'GET /token': {
      // A real backend takes the user from its own login session, never from the address.
      const user = searchParams.get('user');
      if (user === null || user === '') throw new HttpError(400, 'the parameter user is missing');
      response.writeHead(200, { 'Content-Type': 'text/plain', 'Cache-Control': 'no-store' });
      response.end(issueToken(user));
      return;
    }
    case 'POST /orders': {
      const id = await publish('orders', 'paid', parse(await readBody(request)));
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ id }));
      return;
    }
    case 'POST /webhook': {
      const body = await readBody(request);
      const timestamp = String(request.headers['x-crosspod-timestamp']);
      const signature = String(request.headers['x-crosspod-signature']);
      if (!isFromGateway(timestamp, signature, body))
        throw new HttpError(401, 'the signature is wrong or old');
      receive(JSON.parse(body.toString()) as { events: WebhookEvent[] });
      response.writeHead(204).end();
      return;
    }
    default:
      throw new HttpError(404, 'no such route');
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new HttpError(413, 'the body is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new HttpError(400, 'the body is not JSON');
  }
}

function required(name: string): string {
  const value = process.env[name];
  if (value !== undefined && value !== '') return value;
  console.error(`Set ${name}.`);
  process.exit(1);
}

const server = createServer((request, response) => {
  handle(request, response).catch((error: unknown) => {
    const { status, message } =
      error instanceof HttpError ? error : { status: 500, message: 'internal error' };
    if (status >= 500) console.error(error);
    response.writeHead(status, { 'Content-Type': 'text/plain' }).end(message);
  });
});
server.listen(PORT, () => console.log(`listening on port ${(server.address() as AddressInfo).port}`));
