import { cors as honoCors } from 'hono/cors';
import type { MiddlewareHandler } from 'hono';
import { hostOf } from './peer.ts';
import type { TrustedProxies } from '../core/base/trusted-proxies.ts';
import type { Origins } from '../core/base/origins.ts';

const PREFLIGHT_SECONDS = 600;

const HEADERS = [
  'Content-Type',
  'Authorization',
  'X-API-Key',
  'Idempotency-Key',
  'Last-Event-ID',
  'X-Stream-Key',
];

/**
 * Lets pages of the allowed origins read the answers. Every preflight is answered with 204. Only where cookies are
 * passed on, and only from origins that are listed by name or wildcard, may a page send its cookies.
 */
export function cors(origins: Origins, trustProxy: TrustedProxies = false): MiddlewareHandler {
  const plain = handlerOf(origins, trustProxy, false);
  const withCookies = handlerOf(origins, trustProxy, true);
  return (c, next) =>
    (origins.allowsCredentials(c.req.header('Origin') ?? '') ? withCookies : plain)(c, next);
}

function handlerOf(origins: Origins, trustProxy: TrustedProxies, credentials: boolean): MiddlewareHandler {
  return honoCors({
    credentials,
    origin: origins.any
      ? '*'
      : (origin, c) => (origin !== '' && origins.allow(origin, hostOf(c, trustProxy)) ? origin : null),
    allowMethods: ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS'],
    allowHeaders: HEADERS,
    exposeHeaders: ['Retry-After'],
    maxAge: PREFLIGHT_SECONDS,
  });
}
