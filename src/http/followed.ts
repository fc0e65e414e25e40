import type { MiddlewareHandler } from 'hono';
import type { Pod } from '../core/pod.ts';
import type { RequestOutcome } from '../core/ports/tracer.ts';
import { countRequest } from '../core/tally.ts';
import { routePath } from 'hono/route';

/** Counts every request and, where the pod is traced, follows it. */
export function followed({ tally, tracer }: Pod): MiddlewareHandler {
  return async (c, next) => {
    const handle = async (): Promise<RequestOutcome> => {
      await next();
      // The handler that answered is the one that ran last; the last route that matched may be a 404.
      const outcome = { route: routePath(c), status: c.res.status };
      countRequest(tally, c.req.method, outcome.route, outcome.status);
      return outcome;
    };
    const request = { method: c.req.method, header: (name: string) => c.req.header(name) };
    await (tracer === undefined ? handle() : tracer.request(request, handle));
  };
}
