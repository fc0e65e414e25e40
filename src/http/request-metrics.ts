import type { MiddlewareHandler } from 'hono';
import type { Pod } from '../core/commands/pod.ts';
import type { RequestOutcome } from '../core/ports/tracer.ts';
import { countRequest } from '../core/base/tally.ts';
import { routePath } from 'hono/route';

/** Counts and traces every request. `isKey` tells whether a header holds a valid API key. */
export function requestMetrics(
  { tally, tracer }: Pod,
  isKey: (key: string | undefined) => boolean,
): MiddlewareHandler {
  return async (c, next) => {
    const handle = async (): Promise<RequestOutcome> => {
      await next();
      // The route of the handler that answered: the last route that matches may be the 404.
      const outcome = { route: routePath(c), status: c.res.status };
      countRequest(tally, c.req.method, outcome.route, outcome.status);
      return outcome;
    };
    if (tracer === undefined) return void (await handle());
    const { method } = c.req;
    const isKnown = isKey(c.req.header('X-API-Key'));
    await tracer.request({ method, isKnown, header: (name) => c.req.header(name) }, handle);
  };
}
