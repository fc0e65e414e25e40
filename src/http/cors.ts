import { cors as honoCors } from 'hono/cors';
import type { MiddlewareHandler } from 'hono';
import { hostOf } from './peer.ts';
import type { TrustedProxies } from '../core/base/trusted-proxies.ts';
import type { Origins } from '../core/base/origins.ts';

const PREFLIGHT_SECONDS = 600;

/** Lets pages of the allowed origins read the answers. Every preflight is answered with 204. */
export function cors(origins: Origins, trustProxy: TrustedProxies = false): MiddlewareHandler {
  return honoCors({
    origin: origins.any
      ? '*'
      : (origin, c) => (origin !== '' && origins.allow(origin, hostOf(c, trustProxy)) ? origin : null),
    allowMethods: ['GET', 'POST', 'OPTIONS'],
    allowHeaders: ['Content-Type', 'Authorization', 'X-API-Key', 'Idempotency-Key'],
    exposeHeaders: ['Retry-After'],
    maxAge: PREFLIGHT_SECONDS,
  });
}
