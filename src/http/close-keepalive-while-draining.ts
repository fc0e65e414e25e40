import type { MiddlewareHandler } from 'hono';
import type { Readiness } from './ops.ts';

/**
 * While a pod is emptied, whoever keeps a connection to it is told to make another for the next request: that one finds
 * another pod. Otherwise a request may come just as the connection is closed.
 */
export function closeKeepAliveWhileDraining(readiness: () => Readiness): MiddlewareHandler {
  return async (c, next) => {
    await next();
    if (readiness() === 'draining') c.header('connection', 'close');
  };
}
