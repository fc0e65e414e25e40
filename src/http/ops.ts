import type { Trouble } from '../core/ports/broker.ts';
import { type Context, Hono } from 'hono';
import { readFileSync } from 'node:fs';
import { SOURCES } from '../files.ts';
import { isLoopback } from './loopback.ts';
import { peerOf } from './peer.ts';

/** Whether a pod should get traffic. */
export type Readiness = 'starting' | 'ready' | 'degraded' | 'draining';

/** A pod in either state serves clients. It is degraded while Redis or NATS, or half of it, is unavailable. */
const SERVING: ReadonlySet<Readiness> = new Set(['ready', 'degraded']);

/** Only browsers send these. Any page can make a browser send a POST to every host that it reaches. */
const BROWSER_HEADERS = ['Origin', 'Sec-Fetch-Site'];

/** The JSON Schema of the file that ROOMS_FILE names. */
const RULES_SCHEMA = new URL('rules/rules.schema.json', SOURCES);

export interface OpsOptions {
  readonly readiness: () => Readiness;
  /** What a degraded pod lacks. */
  readonly troubles: () => readonly Trouble[];
  /** Drains and ends the pod, as a SIGTERM does. */
  readonly end: (reason: string) => void;
  readonly metrics: { readonly contentType: string; readonly render: () => Promise<string> };
}

/** The routes for Kubernetes, Prometheus and operators, on a port that no ingress should serve. */
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
  let schema: string | undefined;
  app.get('/rules.schema.json', (c) => {
    schema ??= readFileSync(RULES_SCHEMA, 'utf8');
    return c.body(schema, 200, { 'content-type': 'application/schema+json' });
  });
  app.post('/drain', (c) => drain(c, end));
  app.notFound((c) =>
    c.json(
      {
        error:
          'there is nothing at this path; try /livez, /readyz, /metrics, /rules.schema.json or POST /drain',
        code: 'not_found',
      },
      404,
    ),
  );
  return app;
}

function drain(c: Context, end: OpsOptions['end']): Response {
  if (BROWSER_HEADERS.some((header) => c.req.header(header) !== undefined)) {
    return c.json({ error: 'a web page cannot drain a pod', code: 'forbidden' }, 403);
  }
  // The address comes from the socket, because a caller can write any header.
  if (!isLoopback(peerOf(c))) {
    return c.json(
      { error: 'send this from within the pod, for example with kubectl exec', code: 'forbidden' },
      403,
    );
  }
  end('POST /drain');
  return c.json({ status: 'draining' }, 202);
}
