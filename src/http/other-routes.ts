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

const Trouble = z
  .object({
    part: z.string().openapi({ description: 'The server that is gone.', example: 'redis:6379' }),
    lost: z.enum(['answers', 'publications']).openapi({ description: 'Which half of it.' }),
    reason: z.string().openapi({ description: 'For a person.', example: 'connect ECONNREFUSED' }),
  })
  .openapi('Trouble');

const Readiness = z
  .object({
    status: z.enum(['starting', 'ready', 'degraded', 'draining']),
    engine: z
      .array(Trouble)
      .optional()
      .openapi({ description: 'What a degraded pod lacks of Redis or NATS, as far as that is known.' }),
  })
  .openapi('Readiness', { example: { status: 'ready' } });

const Explained = z
  .object({
    status: z.literal('ok'),
    max_message_bytes: z
      .int()
      .openapi({ description: 'How long a frame may be, as UTF-8.', example: 65_536 }),
  })
  .openapi('Explained');

const Draining = z.object({ status: z.literal('draining') }).openapi('Draining');

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
      404: failure('no such address', 'not_found'),
      426: failure('without `explain=1` it is a WebSocket address', 'upgrade_required'),
      429: withRetryAfter(failure('too many handshakes', 'rate_limited')),
      431: failure('the address and the headers together are too long', 'too_large'),
      503: withRetryAfter(failure('not now', 'server_at_capacity')),
      200: json('The upgrade would be taken.', Explained),
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
    responses: { 200: json('The process runs.', Alive) },
  },
  {
    method: 'get',
    path: '/readyz',
    operationId: 'getReadiness',
    tags: ['operations'],
    summary: 'Whether the pod should get traffic.',
    servers: OPERATORS,
    security: [],
    responses: {
      200: json('The pod should get traffic: it is ready, or degraded.', Readiness),
      503: json('The pod should get no traffic: it is starting, or draining.', Readiness),
    },
  },
  {
    method: 'post',
    path: '/drain',
    operationId: 'drain',
    tags: ['operations'],
    summary: 'Ends the pod as a SIGTERM does: its clients are sent to other pods. Only from loopback.',
    servers: OPERATORS,
    security: [],
    responses: {
      202: json('The pod drains, and did so before where it was asked before.', Draining),
      403: failure('no page may end a pod, and nobody from outside of it', 'forbidden'),
    },
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
