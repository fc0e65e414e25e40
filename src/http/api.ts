import type { Api, ApiEnv, ApiOptions } from './api-env.ts';
import { answerError, ApiError, invalidField, writeError } from './errors.ts';
import { BATCH_BYTES, BATCH_PATH, batchRoutes } from './batch.ts';
import { GUEST_PATH, guestRoutes } from './guest.ts';
import { Access } from './access.ts';
import { body } from './body.ts';
import { clientAddress } from './client-address.ts';
import { cors } from './cors.ts';
import { documentRoutes } from './documents.ts';
import { eventRoutes } from './events.ts';
import { messageRoutes } from './messages.ts';
import type { MiddlewareHandler } from 'hono';
import { OpenAPIHono } from '@hono/zod-openapi';
import { peerOf } from './peer.ts';
import { userRoutes } from './users.ts';
import { connectionRoutes } from './connections.ts';
import { blockRoutes } from './blocks.ts';
import { revocationRoutes } from './revocations.ts';
import { moveRoutes } from './moves.ts';
import { roomRoutes } from './rooms.ts';
import { roomStateRoutes } from './room.ts';
import { Throttle } from './throttle.ts';

/**
 * The HTTP API: everything under `/api/`, `/openapi.json` and `/asyncapi.json`. Mount the WebSocket paths before it:
 * one of them may lie under `/api/`, where this answers every request.
 */
export function createApi(options: ApiOptions): Api {
  const { pod, origins, maxBodyBytes, trustProxy } = options;
  const api = new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (!result.success) throw invalidField(result.error.issues);
    },
  });
  api.onError(answerError(pod.log));
  for (const path of ['/api/*', '/openapi.json', '/asyncapi.json']) api.use(path, cors(origins, trustProxy));
  api.use('/api/*', guard(options), wellFormed);
  api.use(
    '/api/*',
    body((path) => (path === BATCH_PATH ? BATCH_BYTES : maxBodyBytes), origins, trustProxy),
  );
  eventRoutes(api, pod);
  messageRoutes(api, pod);
  batchRoutes(api, options);
  userRoutes(api, pod);
  connectionRoutes(api, pod);
  moveRoutes(api, pod);
  blockRoutes(api, pod);
  revocationRoutes(api, pod);
  roomRoutes(api, pod.directory);
  roomStateRoutes(api, pod);
  guestRoutes(api, options.guest, pod.denylist);
  documentRoutes(api);
  refuseOtherRequests(api);
  return api;
}

/** Identifies the caller and throttles it. Refused requests count too, so that guessing keys is throttled. */
function guard(options: ApiOptions): MiddlewareHandler<ApiEnv> {
  const { pod, requestsPerSecond, trustProxy } = options;
  const access = new Access(options);
  const throttle = new Throttle(requestsPerSecond);
  return async (c, next) => {
    const key = c.req.header('X-API-Key');
    const authorization = c.req.header('Authorization');
    const { name, refusal } = c.req.path === GUEST_PATH ? {} : await access.identify({ key, authorization });
    const address = clientAddress(peerOf(c), c.req.header('X-Forwarded-For'), trustProxy);
    const wait = throttle.take(name ?? `address:${address}`, pod.clock.elapsed());
    if (wait > 0) {
      throw new ApiError(429, 'rate_limited', 'too many requests', { 'Retry-After': String(wait) });
    }
    if (refusal !== undefined) throw refusal;
    c.set('caller', { name });
    await next();
  };
}

/** Hono passes on what it cannot decode, which could be taken for a name that the caller did not mean. */
const wellFormed: MiddlewareHandler = async (c, next) => {
  try {
    decodeURIComponent(new URL(c.req.url).pathname);
  } catch {
    throw new ApiError(400, 'invalid_request', 'the path is not percent-encoded UTF-8');
  }
  await next();
};

/** Answers 405 to other methods of a known path, and 404 to other paths under `/api/`. */
function refuseOtherRequests(api: Api): void {
  const methods = new Map<string, Set<string>>();
  for (const { path, method } of api.routes) {
    if (method === 'ALL') continue;
    const known = methods.get(path) ?? new Set();
    methods.set(path, known.add(method));
    if (method === 'GET') known.add('HEAD');
  }
  for (const [path, known] of methods) {
    const allow = [...known, 'OPTIONS'].join(', ');
    const refusal = new ApiError(405, 'method_not_allowed', `this path allows only ${allow}`, {
      Allow: allow,
    });
    api.all(path, (c) => writeError(c, refusal));
  }
  const nothing = new ApiError(404, 'not_found', 'there is nothing at this path; see /openapi.json');
  api.all('/api/*', (c) => writeError(c, nothing));
  api.notFound((c) => writeError(c, nothing));
}
