import type { OpenAPIHono, RouteConfig } from '@hono/zod-openapi';
import { failure, json, withRetryAfter } from './answers.ts';
import { z } from '@hono/zod-openapi';

type Registry = OpenAPIHono['openAPIRegistry'];

/** The operators' port, which no ingress should serve. */
const OPERATORS = [{ url: 'http://localhost:9090', description: 'This is the OPS_PORT of a pod.' }];

const Stats = z
  .object({
    pod: z.string().openapi({ description: 'The name of the pod.', example: 'crosspod-0' }),
    connections: z.int().openapi({ description: 'The number of open connections on this pod.', example: 12 }),
    rooms: z.int().openapi({ description: 'The number of rooms with a member on this pod.', example: 3 }),
    uptime_seconds: z.int().openapi({ description: 'How many seconds ago the pod started.', example: 3_600 }),
  })
  .openapi('Stats');

const Alive = z.object({ status: z.literal('alive') }).openapi('Alive');

const Trouble = z
  .object({
    part: z
      .string()
      .openapi({ description: 'The Redis or NATS server that is unavailable.', example: 'redis:6379' }),
    lost: z.enum(['answers', 'publications']).openapi({
      description:
        'Which half of the server this pod lacks: with `answers`, commands fail or get no answer; with ' +
        '`publications`, publications of other pods do not arrive.',
    }),
    reason: z
      .string()
      .openapi({ description: 'The reason as a text for a person.', example: 'connect ECONNREFUSED' }),
  })
  .openapi('Trouble');

const Readiness = z
  .object({
    status: z.enum(['starting', 'ready', 'degraded', 'draining']),
    engine: z.array(Trouble).optional().openapi({
      description: 'What a degraded pod lacks of Redis or NATS. It is absent if that is not known.',
    }),
  })
  .openapi('Readiness', { example: { status: 'ready' } });

const Explained = z
  .object({
    status: z.literal('ok'),
    max_message_bytes: z.int().openapi({
      description: 'How many bytes of UTF-8 a frame of a client may have at most.',
      example: 65_536,
    }),
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
    summary: 'Counts the connections and rooms of this pod. Every path of WS_PATHS has this route.',
    security: [],
    responses: { 200: json('The numbers of this pod alone.', Stats) },
  },
  {
    method: 'get',
    path: '/ws',
    operationId: 'explainUpgrade',
    tags: ['connecting'],
    summary:
      'Tells what a WebSocket handshake at this address would be answered now. Every path of WS_PATHS has this route.',
    security: [],
    request: { query: z.object({ explain: z.literal('1') }) },
    responses: {
      400: failure('a part of the address is not valid', 'invalid_user_id'),
      401: failure('the token is missing or not valid', 'token_expired'),
      403: failure('the origin or the token does not permit the connection', 'forbidden'),
      404: failure('there is no WebSocket at this path', 'not_found'),
      426: failure('without explain=1 this address accepts only WebSocket handshakes', 'upgrade_required'),
      429: withRetryAfter(failure('there are too many handshakes now', 'rate_limited')),
      431: failure('the address and the headers together are too long', 'too_large'),
      503: withRetryAfter(failure('the pod takes no connection now', 'server_at_capacity')),
      200: json('The handshake would succeed.', Explained),
    },
  },
  {
    method: 'get',
    path: '/',
    operationId: 'getChat',
    tags: ['pages'],
    summary: 'Opens the chat page.',
    security: [],
    responses: { 200: text('The answer is an HTML page.', 'text/html') },
  },
  {
    method: 'get',
    path: '/playground',
    operationId: 'getPlayground',
    tags: ['pages'],
    summary: 'Opens the playground, a page to try every frame.',
    security: [],
    responses: { 200: text('The answer is an HTML page.', 'text/html') },
  },
  {
    method: 'get',
    path: '/livez',
    operationId: 'getLiveness',
    tags: ['operations'],
    summary: 'Tells whether the process runs.',
    servers: OPERATORS,
    security: [],
    responses: { 200: json('The process runs.', Alive) },
  },
  {
    method: 'get',
    path: '/readyz',
    operationId: 'getReadiness',
    tags: ['operations'],
    summary: 'Tells whether the pod should get traffic.',
    servers: OPERATORS,
    security: [],
    responses: {
      200: json('The pod should get traffic: it is ready or degraded.', Readiness),
      503: json('The pod should get no traffic: it is starting or draining.', Readiness),
    },
  },
  {
    method: 'post',
    path: '/drain',
    operationId: 'drain',
    tags: ['operations'],
    summary: 'Ends the pod as a SIGTERM does, and sends its clients to other pods. Works only from loopback.',
    servers: OPERATORS,
    security: [],
    responses: {
      202: json('The pod is draining. A repeated request changes nothing.', Draining),
      403: failure('the request comes from a web page or from outside the pod', 'forbidden'),
    },
  },
  {
    method: 'get',
    path: '/rules.schema.json',
    operationId: 'getRulesSchema',
    tags: ['operations'],
    summary: 'Returns the JSON Schema of the file that ROOMS_FILE names.',
    servers: OPERATORS,
    security: [],
    responses: {
      200: {
        description: 'The answer is a JSON Schema (draft 7).',
        content: { 'application/schema+json': { schema: z.record(z.string(), z.unknown()) } },
      },
    },
  },
  {
    method: 'get',
    path: '/metrics',
    operationId: 'getMetrics',
    tags: ['operations'],
    summary: 'Returns the metrics of the pod for Prometheus (text format 0.0.4).',
    servers: OPERATORS,
    security: [],
    responses: { 200: text('The answer has all metrics of the pod.', 'text/plain') },
  },
];

/** Adds the routes of sockets.ts, pages.ts and ops.ts, so that one document has them all. */
export function registerOtherRoutes(registry: Registry): void {
  for (const route of OTHERS) registry.registerPath(route);
}
