import { type Context, Hono } from 'hono';
import { type UpgradeRefusal, refusalHeaders } from '../core/base/upgrade-refusal.ts';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { cors } from './cors.ts';
import { Origins } from '../core/base/origins.ts';
import { peerOf } from './peer.ts';
import type { Pod } from '../core/commands/pod.ts';

export interface SocketsOptions {
  readonly pod: Pod;
  /** WS_PATHS. */
  readonly paths: readonly string[];
  /** What an upgrade that looks like this request would be told now; undefined: it would be taken. */
  readonly explain: (request: Explained) => Promise<UpgradeRefusal | undefined>;
}

interface Explained {
  /** Path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly socket: { readonly remoteAddress: string | undefined };
}

const anybody = cors(new Origins(['*']));
const NOT_KEPT = { 'Cache-Control': 'no-store' };
const NO_UPGRADE: UpgradeRefusal = {
  status: 426,
  error: 'this is a WebSocket address',
  code: 'upgrade_required',
};

/**
 * What the WebSocket paths answer to plain HTTP: statistics at `PATH/stats`, with `?explain=1` what an upgrade would
 * be told, and else 426 (RFC 9110 section 15.5.22).
 */
export function sockets({ pod, paths, explain }: SocketsOptions): Hono {
  const app = new Hono();
  const answer = async (c: Context): Promise<Response> => {
    if (c.req.method !== 'GET' || !asksWhy(c)) return refused(c, NO_UPGRADE);
    const { pathname, search } = new URL(c.req.url);
    const socket = { remoteAddress: peerOf(c) };
    const refusal = await explain({ url: pathname + search, headers: c.req.header(), socket });
    if (refusal !== undefined) return refused(c, refusal);
    return c.json({ status: 'ok', max_message_bytes: pod.limits.maxMessageBytes }, 200, NOT_KEPT);
  };
  for (const path of paths.toSorted((a, b) => b.length - a.length)) {
    for (const route of [`${path}/stats`, `${path}/stats/`]) {
      // To a WebSocket it is a room like any other, and whoever was refused there asks why.
      app.get(route, (c, next) => (asksWhy(c) ? next() : c.json(statistics(pod))));
    }
    for (const route of [path, `${path}/*`]) {
      // Whoever is refused may know why: there is no secret in it but what the page has brought itself.
      app.use(route, (c, next) => (asksWhy(c) ? anybody(c, next) : next()));
      app.all(route, answer);
    }
  }
  return app;
}

function statistics({ clock, hub, name, startedAt }: Pod) {
  return {
    pod: name,
    connections: hub.connectionCount,
    rooms: hub.roomCount,
    uptime_seconds: Math.floor((clock.elapsed() - startedAt) / 1000),
  };
}

function asksWhy(c: Context): boolean {
  return c.req.query('explain') === '1';
}

function refused(c: Context, refusal: UpgradeRefusal): Response {
  const { status, error, code } = refusal;
  return c.json({ error, code }, status as ContentfulStatusCode, {
    ...NOT_KEPT,
    ...refusalHeaders(refusal),
  });
}
