import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { setCookie } from 'hono/cookie';
import { DatabaseSync } from 'node:sqlite';
import { Hono } from 'hono';
import { serve } from '@hono/node-server';

const PORT = Number(process.env['PORT'] ?? 3000);
const BACKEND_SECRET = required('BACKEND_SECRET');
/** An older question is rejected: an attacker may have recorded it and sent it again. */
const MAX_AGE_SECONDS = 300;
const SUPPRESSED = /\bbuy followers\b/i;
const MASKED = /\b(?:darn|heck)\b/gi;

/** What the gateway asks (docs/backend/backend.md). */
interface Question {
  readonly event: 'connect' | 'join' | 'publish' | 'call';
  readonly connection: { readonly user_id: string | null; readonly headers: { readonly cookie?: string } };
  readonly room?: string;
  readonly message?: { readonly data: unknown };
  readonly method?: string;
  readonly data?: unknown;
}

// A real backend has these tables already.
const database = new DatabaseSync(':memory:');
database.exec('CREATE TABLE sessions (id TEXT PRIMARY KEY, user TEXT NOT NULL)');
database.exec('CREATE TABLE members (room TEXT, user TEXT, name TEXT NOT NULL, PRIMARY KEY (room, user))');
const addMember = database.prepare('INSERT INTO members VALUES (?, ?, ?)');
addMember.run('team', 'alice', 'Alice');
addMember.run('team', 'bob', 'Bob');

const app = new Hono();

// A real backend asks for a password.
app.get('/login', (c) => {
  const session = randomUUID();
  database.prepare('INSERT INTO sessions VALUES (?, ?)').run(session, c.req.query('user') ?? '');
  setCookie(c, 'session', session, { httpOnly: true, sameSite: 'Lax', path: '/' });
  return c.text('logged in');
});

app.post('/decide', async (c) => {
  const body = await c.req.text();
  const { 'x-crosspod-timestamp': timestamp = '', 'x-crosspod-signature': signature = '' } = c.req.header();
  if (!isFromGateway(timestamp, signature, body)) return c.text('the signature is wrong or old', 401);
  return c.json(answerTo(JSON.parse(body) as Question));
});

function answerTo(question: Question): object {
  const user = question.connection.user_id ?? '';
  switch (question.event) {
    case 'connect':
      return connect(question.connection.headers.cookie ?? '');
    case 'join':
      return join(question.room ?? '', user);
    case 'publish':
      return moderate(question.message?.data);
    case 'call':
      return call(question.method ?? '', user);
  }
}

/** The session of the page names the user. */
function connect(cookie: string): object {
  const session = getCookieOf(cookie, 'session') ?? '';
  const row = database.prepare('SELECT user FROM sessions WHERE id = ?').get(session);
  if (row === undefined) return { allow: false, code: 'logged_out', error: 'log in first' };
  return { allow: true, user_id: row['user'] };
}

/** The table says who may join; the gateway need not ask again for a minute. */
function join(room: string, user: string): object {
  const row = database.prepare('SELECT name FROM members WHERE room = ? AND user = ?').get(room, user);
  if (row === undefined) return { allow: false, error: `you are no member of ${room}`, ttl_seconds: 60 };
  return { allow: true, meta: { name: row['name'] }, ttl_seconds: 60 };
}

function moderate(data: unknown): object {
  if (typeof data !== 'string') return { allow: true };
  if (SUPPRESSED.test(data)) return { allow: true, suppress: true };
  const clean = data.replaceAll(MASKED, (word) => '*'.repeat(word.length));
  return clean === data ? { allow: true } : { allow: true, message: { data: clean } };
}

function call(method: string, user: string): object {
  if (method !== 'my-rooms') return { allow: false, code: 'unknown_method' };
  const rows = database.prepare('SELECT room FROM members WHERE user = ? ORDER BY room').all(user);
  return { allow: true, data: rows.map(({ room }) => room) };
}

/** Whether the gateway sent this question, and recently. */
function isFromGateway(timestamp: string, signature: string, body: string): boolean {
  const digest = createHmac('sha256', BACKEND_SECRET).update(`${timestamp}.${body}`).digest('hex');
  const [expected, given] = [Buffer.from(`sha256=${digest}`), Buffer.from(signature)];
  // A comparison that stops at the first difference would tell an attacker how much of a signature is right.
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) return false;
  return Math.abs(Date.now() / 1_000 - Number(timestamp)) < MAX_AGE_SECONDS;
}

function getCookieOf(cookies: string, name: string): string | undefined {
  const all = cookies.split(';').map((one) => one.trim().split('='));
  return all.find(([key]) => key === name)?.[1];
}

function required(name: string): string {
  const value = process.env[name];
  if (value) return value;
  throw new Error(`set ${name}`);
}

serve({ fetch: app.fetch, port: PORT }, ({ port }) => console.log(`listening on port ${port}`));
