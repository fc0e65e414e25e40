import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Pod, startPod } from '../support/pod.ts';
import { readFileSync } from 'node:fs';
import { unfinishedTexts } from './sentences.ts';
import { z } from 'zod';

/** A request and the status it is answered with. */
interface Case {
  /** Of the path's parameters and the query, as they stand in the address. */
  readonly address?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status: number;
}

/** A document: {type, one of its examples} and so on, as far as the tests look into it. */
interface Operation {
  readonly operationId: string;
  readonly security?: readonly object[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: object }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
}
type Content = Readonly<Record<string, { readonly schema: object }>>;
interface Document {
  readonly info: { readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, { readonly example?: unknown }>> };
}

/** Of the components, as far as some tests look into them. */
interface Schemas {
  readonly schemas: Readonly<Record<string, { readonly properties?: Readonly<Record<string, object>> }>>;
}

const KEY = { 'X-API-Key': 'the-key' };
/** More than a head may hold. */
const LONG = { 'X-Long': 'x'.repeat(20_000) };
const BAD_KEY = { 'Idempotency-Key': 'x'.repeat(65) };
const OPERATORS = new Set(['getLiveness', 'getReadiness', 'getMetrics', 'getRulesSchema', 'drain']);
/** What would end the pod is only refused here; test/integration/ops.test.ts does it. */
const REFUSED_ONLY = new Set(['drain']);

/** By operation: at least one that is answered with 200 and, where anything can be wrong, one that is refused. */
const CASES: Readonly<Record<string, readonly Case[]>> = {
  postEvent: [
    { body: { channel: 'r' }, status: 200 },
    { body: { channel: 'r', event: 'e', payload: { a: [1] } }, status: 200 },
    { body: { channel: '-' }, status: 400 },
    { body: {}, status: 400 },
    { body: { channel: 'r' }, headers: BAD_KEY, status: 400 },
  ],
  postMessage: [
    { address: '/api/rooms/r/messages', body: { data: 1 }, status: 200 },
    { address: '/api/rooms/r%2Fs/messages', body: {}, status: 400 },
    { address: '/api/rooms/r/messages', body: { type: 'pong' }, status: 400 },
    { address: '/api/rooms/r/messages', body: {}, headers: BAD_KEY, status: 400 },
  ],
  postBatch: [
    { body: { messages: [{ room: 'r' }, {}] }, status: 200 },
    { body: { messages: 'r' }, status: 400 },
    { body: { messages: Array.from({ length: 1_001 }, () => ({})) }, status: 400 },
    { body: { messages: [] }, headers: BAD_KEY, status: 400 },
  ],
  postBroadcast: [
    { body: { data: 'x' }, status: 200 },
    { body: { event: {} }, status: 400 },
    { body: {}, headers: BAD_KEY, status: 400 },
  ],
  postToUser: [
    { address: '/api/users/al%20ice/messages', body: { data: 1 }, status: 200 },
    { address: '/api/users/%40all/messages', body: {}, status: 400 },
    { address: '/api/users/alice/messages', body: { type: 1 }, status: 400 },
    { address: '/api/users/alice/messages', body: {}, headers: BAD_KEY, status: 400 },
  ],
  disconnectUser: [
    { address: '/api/users/alice/disconnect', body: { reason: 'r' }, status: 200 },
    { address: '/api/users/system/disconnect', body: {}, status: 400 },
    { address: '/api/users/alice/disconnect', body: { reason: [] }, status: 400 },
  ],
  disconnectConnection: [
    { address: '/api/connections/abc/disconnect', body: {}, status: 200 },
    { address: '/api/connections/a.b/disconnect', body: {}, status: 400 },
    { address: '/api/connections/abc/disconnect', body: { reason: 1 }, status: 400 },
  ],
  getUser: [
    { address: '/api/users/al%20ice', status: 200 },
    { address: '/api/users/system', status: 400 },
  ],
  getConnections: [
    { address: '/api/connections?limit=1&cursor=abc', status: 200 },
    { address: '/api/connections?limit=1001', status: 400 },
  ],
  getRoom: [
    { address: '/api/rooms/r', status: 200 },
    { address: '/api/rooms/-', status: 400 },
  ],
  joinUser: [
    { address: '/api/users/alice/join', body: { room: 'r' }, status: 200 },
    { address: '/api/users/alice/join', body: { room: '-' }, status: 400 },
  ],
  leaveUser: [
    { address: '/api/users/alice/leave', body: { room: 'r' }, status: 200 },
    { address: '/api/users/alice/leave', body: {}, status: 400 },
  ],
  blockUser: [
    { address: '/api/users/blocked/block', body: { seconds: 500 }, status: 200 },
    { address: '/api/users/blocked/block', body: {}, status: 400 },
  ],
  getBlock: [
    { address: '/api/users/blocked/block', status: 200 },
    { address: '/api/users/nobody/block', status: 404 },
    { address: '/api/users/system/block', status: 400 },
  ],
  unblockUser: [
    { address: '/api/users/alice/block', status: 200 },
    { address: '/api/users/system/block', status: 400 },
  ],
  getBlocks: [
    { address: '/api/blocks?limit=1', status: 200 },
    { address: '/api/blocks?limit=0', status: 400 },
  ],
  revokeTokens: [
    { body: { jti: 'x', expires_at: '2100-01-01T00:00:00Z' }, status: 200 },
    { body: { user_id: 'alice', issued_before: 5 }, status: 200 },
    { body: {}, status: 400 },
  ],
  getRooms: [
    { address: '/api/rooms', status: 200 },
    { address: '/api/rooms?prefix=r&limit=1&cursor=cg', status: 200 },
    { address: '/api/rooms?limit=0', status: 400 },
    { address: '/api/rooms?prefix=%2F', status: 400 },
    { address: '/api/rooms?cursor=%2F', status: 400 },
  ],
  getPresence: [
    { address: '/api/rooms/r/presence', status: 200 },
    { address: '/api/rooms/%0A/presence', status: 400 },
  ],
  getHistory: [
    { address: '/api/rooms/r/history', status: 200 },
    { address: '/api/rooms/r/history?after=x&limit=1', status: 200 },
    { address: '/api/rooms/r/history?limit=x', status: 400 },
    { address: '/api/rooms/r%20/history', status: 400 },
  ],
  postGuest: [
    { body: { username: 'alice' }, status: 200 },
    { body: { username: '@alice' }, status: 400 },
    { body: { username: null }, status: 400 },
  ],
  getStats: [{ status: 200 }],
  explainUpgrade: [
    { address: '/ws?explain=1', status: 200 },
    { address: '/ws?explain=1&user_id=system', status: 400 },
    { address: '/ws', status: 426 },
    { address: '/ws?explain=1', headers: LONG, status: 431 },
  ],
  getChat: [{ status: 200 }],
  getPlayground: [{ status: 200 }],
  getOpenApi: [{ status: 200 }],
  getAsyncApi: [{ status: 200 }],
  getLiveness: [{ status: 200 }],
  getReadiness: [{ status: 200 }],
  getMetrics: [{ status: 200 }],
  getRulesSchema: [{ status: 200 }],
  drain: [{ headers: { Origin: 'https://app.example.com' }, status: 403 }],
};

let pod: Pod;
let document: Document;
/** method, path, operation */
let operations: readonly (readonly [string, string, Operation])[];

beforeAll(async () => {
  pod = await startPod({ API_KEYS: 'the-key', GUEST_LOGIN: 'true' });
  const answer = await fetch(`${pod.url}/openapi.json`);
  document = (await answer.json()) as Document;
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [method, path, operation] as const),
  );
});

afterAll(() => pod.stop());

function ask(method: string, path: string, operationId: string, one: Case): Promise<Response> {
  const base = OPERATORS.has(operationId) ? pod.opsUrl : pod.url;
  const headers: Record<string, string> = { ...KEY, ...one.headers };
  const init: RequestInit = { method: method.toUpperCase(), headers };
  if (one.body !== undefined) {
    headers['Content-Type'] ??= 'application/json';
    init.body = typeof one.body === 'string' ? one.body : JSON.stringify(one.body);
  }
  return fetch(`${base}${one.address ?? path}`, init);
}

/** The document's schema, ready to be asked; references are resolved within the document. */
function schemaOf(schema: object): z.ZodType {
  return z.fromJSONSchema({
    ...schema,
    $defs: inDefs(document.components.schemas),
    ...(inDefs(schema) as object),
  });
}

/** Fields that an answer has and its schema does not name: a generated client never shows them. */
function unnamedIn(answer: object, schema: object): string[] {
  const { $ref = '' } = schema as { $ref?: string };
  const named = document.components.schemas[$ref.split('/').at(-1) ?? ''] ?? schema;
  const { properties } = named as { properties?: object };
  return properties === undefined ? [] : Object.keys(answer).filter((name) => !(name in properties));
}

function inDefs(value: unknown): Record<string, never> {
  const text = JSON.stringify(value).replaceAll('#/components/schemas/', '#/$defs/');
  return JSON.parse(text) as Record<string, never>;
}

describe('the OpenAPI document', () => {
  test('has the version of the package', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(document).toMatchObject({ openapi: '3.1.0', info: { version } });
  });

  test('has a case here for each of its operations, and for nothing else', () => {
    const names = operations.map(([, , { operationId }]) => operationId);
    expect(names.toSorted()).toEqual(Object.keys(CASES).toSorted());
    for (const [, path, { operationId, requestBody, parameters = [] }] of operations) {
      if (REFUSED_ONLY.has(operationId)) continue;
      const statuses = (CASES[operationId] ?? []).map(({ status }) => status);
      const wanted = requestBody !== undefined || parameters.length > 0 ? [200, 400] : [200];
      expect({ path, missing: wanted.filter((status) => !statuses.includes(status)) }).toEqual({
        path,
        missing: [],
      });
    }
  });

  test('answers every case as the document says', async () => {
    for (const [method, path, operation] of operations) {
      for (const one of CASES[operation.operationId] ?? []) {
        const answer = await ask(method, path, operation.operationId, one);
        const text = await answer.text();
        expect({ path, one, status: answer.status, text }).toMatchObject({ status: one.status });
        const content = operation.responses[one.status]?.content ?? {};
        const type = answer.headers.get('Content-Type')?.split(';')[0] ?? '';
        expect(Object.keys(content)).toContain(type);
        const { schema } = content[type] ?? {};
        if (type === 'application/json' && schema !== undefined) {
          const { error } = schemaOf(schema).safeParse(JSON.parse(text));
          expect({ path, text, error }).toEqual({ path, text, error: undefined });
          expect({ path, unnamed: unnamedIn(JSON.parse(text) as object, schema) }).toEqual({
            path,
            unnamed: [],
          });
        }
      }
    }
  });

  test('lists every status with which a route with a body may refuse', async () => {
    for (const [method, path, operation] of operations) {
      if (operation.requestBody === undefined) continue;
      const { operationId, responses } = operation;
      const [good] = CASES[operationId] ?? [];
      if (good === undefined) throw new Error(`no case for ${operationId}`);
      const refused = async (status: number, more: Partial<Case>): Promise<void> => {
        const answer = await ask(method, path, operationId, { ...good, ...more });
        expect({ path, status: answer.status }).toEqual({ path, status });
        expect(await answer.json()).toEqual({
          error: expect.any(String) as string,
          code: expect.any(String) as string,
        });
        expect(Object.keys(responses)).toContain(String(status));
      };
      await refused(400, { body: '{' });
      await refused(400, { body: '[]' });
      await refused(413, { body: `"${'x'.repeat(1_048_576)}"` });
      await refused(415, { headers: { 'Content-Type': 'text/plain' } });
      await refused(431, { headers: LONG });
    }
  });

  test('says which routes need a key, and only these refuse requests without one', async () => {
    for (const [method, path, operation] of operations) {
      const { operationId, security = [] } = operation;
      if (REFUSED_ONLY.has(operationId)) continue;
      const [good] = CASES[operationId] ?? [];
      if (good === undefined) throw new Error(`no case for ${operationId}`);
      const answer = await ask(method, path, operationId, { ...good, headers: { 'X-API-Key': '' } });
      expect({ path, closed: answer.status === 401 }).toEqual({ path, closed: security.length > 0 });
      await answer.arrayBuffer();
    }
  });

  const NAMES = [
    'alice',
    'al ice',
    'é😀',
    's',
    'sys',
    'systems',
    'sysop',
    'c',
    'con',
    'conn',
    'conx:y',
    'a@b',
    '-r',
  ];
  const NO_NAMES = ['', 'system', 'conn:', 'conn:x', '@a', 'a\nb', '\u0085', 'x'.repeat(257)];

  test.each([
    [
      'the user of an address',
      (name: string) => [`/api/users/${encodeURIComponent(name)}/messages`, { data: 1 }],
    ],
    ['from', (name: string) => ['/api/rooms/r/messages', { from: name }]],
    ['username', (name: string) => ['/api/auth/guest', { username: name }]],
  ] as [string, (name: string) => [string, object]][])(
    'allows for %s what the pod takes, and nothing that it refuses',
    async (what, request) => {
      const { schemas } = document.components as unknown as Schemas;
      const schema = {
        'the user of an address': schemas['UserId'],
        from: schemas['Draft']?.properties?.['from'],
        username: schemas['GuestLogin']?.properties?.['username'],
      }[what];
      for (const name of [...NAMES, ...NO_NAMES]) {
        const [path, body] = request(name);
        const { status } = await ask('POST', path, '', { body, status: 0 });
        const isAllowed = schemaOf(schema ?? {}).safeParse(name).success;
        expect({ name, isAllowed }).toEqual({ name, isAllowed: status === 200 });
      }
    },
  );

  test.each(['', 'r', 'r:1@x', '-r', '/', 'a b', 'r'.repeat(128), 'r'.repeat(129)])(
    'allows the prefix %j if the pod does',
    async (prefix) => {
      const query = operations.find(([, , { operationId }]) => operationId === 'getRooms')?.[2].parameters;
      const schema = query?.find(({ name }) => name === 'prefix')?.schema ?? {};
      const { status } = await ask('GET', `/api/rooms?prefix=${encodeURIComponent(prefix)}`, '', {
        status: 0,
      });
      expect(schemaOf(schema).safeParse(prefix).success).toBe(status === 200);
    },
  );

  test('has no choice without a discriminator, which generated clients cannot distinguish', () => {
    const text = JSON.stringify(document);
    expect(text).not.toMatch(/"oneOf"|"anyOf":\[\{(?!"type":"null")/);
  });

  test('has patterns that every regular expression dialect understands', () => {
    const patterns = [...JSON.stringify(document).matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)].map(
      ([, pattern = '']) => JSON.parse(pattern) as string,
    );
    expect(patterns.length).toBeGreaterThan(5);
    for (const pattern of patterns) expect(pattern).not.toMatch(/\(\?|\\[pPu]/);
  });

  test('describes a pod that lacks half of its engine', () => {
    const schema = document.components.schemas['Readiness'] ?? {};
    const trouble = { part: 'redis:6379', lost: 'answers', reason: 'connect ECONNREFUSED' };
    for (const answer of [{ status: 'degraded' }, { status: 'degraded', engine: [trouble] }]) {
      expect(schemaOf(schema).safeParse(answer).error).toBeUndefined();
    }
    expect(schemaOf(schema).safeParse({ status: 'well' }).success).toBe(false);
  });

  test('has only sentences as summaries and descriptions', () => {
    expect(unfinishedTexts(document)).toEqual([]);
  });

  test('gives examples that its own schemas allow', () => {
    const examples = Object.entries(document.components.schemas).filter(([, schema]) => 'example' in schema);
    expect(examples.length).toBeGreaterThan(5);
    for (const [name, schema] of examples) {
      const { error } = schemaOf(schema).safeParse(schema.example);
      expect({ name, error }).toEqual({ name, error: undefined });
    }
  });
});
