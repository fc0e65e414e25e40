import type { Trouble } from '../core/ports/broker.ts';
import { Hono } from 'hono';
import { isLoopback } from './loopback.ts';
import { peerOf } from './peer.ts';

/** Whether a pod should get traffic. */
export type Readiness = 'starting' | 'ready' | 'degraded' | 'draining';

/** With either a pod serves; degraded is one for which a half of Redis or NATS is gone. */
const SERVING: ReadonlySet<Readiness> = new Set(['ready', 'degraded']);

/** Only browsers send these, and any page can make them send a POST to whatever they reach. */
const BROWSERS = ['Origin', 'Sec-Fetch-Site'];

export interface OpsOptions {
  readonly readiness: () => Readiness;
  /** What a degraded pod lacks. */
  readonly troubles: () => readonly Trouble[];
  /** Begins the end of the pod, as a SIGTERM does. */
  readonly end: (reason: string) => void;
  readonly metrics: { readonly contentType: string; readonly render: () => Promise<string> };
}

/** What Kubernetes and Prometheus ask; on a port of its own, which no ingress serves. */
export function ops({ readiness, troubles, end, metrics }: OpsOptions): Hono {
  const app = new Hono();
  app.get('/livez', (c) => c.json({ status: 'alive' }));
  app.get('/readyz', (c) => {
    const status = readiness();
    const engine = status === 'degraded' ? troubles() : [];
    return c.json({ status, ...(engine.length > 0 && { engine }) }, SERVING.has(status) ? 200 : 503);
  });
  app.get('/metrics', async (c) =>
    c.body(await metrics.render(), 200, { 'content-type': metrics.contentType }),
  );
  app.post('/drain', (c) => {
    if (BROWSERS.some((header) => c.req.header(header) !== undefined)) {
      return c.json({ error: 'no page may end a pod', code: 'forbidden' }, 403);
    }
    // By the socket: whoever reaches the port can write any header.
    if (!isLoopback(peerOf(c))) {
      return c.json({ error: 'ask from within the pod, as by kubectl exec', code: 'forbidden' }, 403);
    }
    end('POST /drain');
    return c.json({ status: 'draining' }, 202);
  });
  app.notFound((c) =>
    c.json({ error: 'try /livez, /readyz, /metrics or POST /drain', code: 'not_found' }, 404),
  );
  return app;
}
