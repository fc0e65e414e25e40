import type { MiddlewareHandler } from 'hono';
import type { Readiness } from './ops.ts';

/**
 * While the pod drains, tells clients to open a new connection for the next request, so that it reaches another pod.
 * Without this, a request may arrive just as the pod closes the connection.
 */
export function closeKeepAliveWhileDraining(readiness: () => Readiness): MiddlewareHandler {
  return async (c, next) => {
    await next();
    if (readiness() === 'draining') c.header('connection', 'close');
  };
}
