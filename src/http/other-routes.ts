import type { OpenAPIHono, RouteConfig } from '@hono/zod-openapi';
import { failure, json, withRetryAfter } from './answers.ts';
import { z } from '@hono/zod-openapi';

type Registry = OpenAPIHono['openAPIRegistry'];

/** Where operators ask: another port, which no ingress serves. */
const OPERATORS = [{ url: 'http://localhost:9090', description: 'OPS_PORT of a pod.' }];

const Stats = z
  .object({
    pod: z.string().openapi({ example: 'crosspod-0' }),
    connections: z.int().openapi({ example: 12 }),
    rooms: z.int().openapi({ example: 3 }),
    uptime_seconds: z.int().openapi({ example: 3_600 }),
  })
  .openapi('Stats');

const Alive = z.object({ status: z.literal('alive') }).openapi('Alive');

const Readiness = z
  .object({ status: z.enum(['starting', 'ready', 'draining']) })
  .openapi('Readiness', { example: { status: 'ready' } });

function text(description: string, type: string) {
  return { description, content: { [type]: { schema: z.string() } } };
}

const OTHERS: readonly RouteConfig[] = [
  {
    method: 'get',
    path: '/ws/stats',
    operationId: 'getStats',
    tags: ['rooms'],
    summary: 'How many connections and rooms this pod has; the same under each path of WS_PATHS.',
    security: [],
    responses: { 200: json('Of this pod alone.', Stats) },
  },
  {
    method: 'get',
    path: '/ws',
    operationId: 'explainUpgrade',
    tags: ['connecting'],
    summary: 'What an upgrade at this address would be told now; the same under each path of WS_PATHS.',
    security: [],
    request: { query: z.object({ explain: z.literal('1') }) },
    responses: {
      400: failure('the address is wrong', 'invalid_user_id'),
      401: failure('no token, or one that is not taken', 'token_expired'),
      403: failure('the origin, or the token, does not permit it', 'forbidden'),
      429: withRetryAfter(failure('too many handshakes', 'rate_limited')),
      503: withRetryAfter(failure('not now', 'server_at_capacity')),
      200: json('It would be taken.', z.object({ status: z.literal('ok') })),
    },
  },
  {
    method: 'get',
    path: '/',
    operationId: 'getChat',
    tags: ['pages'],
    summary: 'The chat.',
    security: [],
    responses: { 200: text('A page.', 'text/html') },
  },
  {
    method: 'get',
    path: '/playground',
    operationId: 'getPlayground',
    tags: ['pages'],
    summary: 'A page to try every frame.',
    security: [],
    responses: { 200: text('A page.', 'text/html') },
  },
  {
    method: 'get',
    path: '/livez',
    operationId: 'getLiveness',
    tags: ['operations'],
    summary: 'Whether the process runs.',
    servers: OPERATORS,
    security: [],
    responses: { 200: json('It does.', Alive) },
  },
  {
    method: 'get',
    path: '/readyz',
    operationId: 'getReadiness',
    tags: ['operations'],
    summary: 'Whether the pod should get traffic.',
    servers: OPERATORS,
    security: [],
    responses: { 200: json('It should.', Readiness), 503: json('It should not.', Readiness) },
  },
  {
    method: 'get',
    path: '/metrics',
    operationId: 'getMetrics',
    tags: ['operations'],
    summary: 'What the pod counts, for Prometheus (text format 0.0.4).',
    servers: OPERATORS,
    security: [],
    responses: { 200: text('All metrics.', 'text/plain') },
  },
];

/** Routes that others serve (sockets.ts, pages.ts, ops.ts), so that one document has them all. */
export function describeOthers(registry: Registry): void {
  for (const route of OTHERS) registry.registerPath(route);
}
