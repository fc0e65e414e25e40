import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { type UpgradeRefusal, refusalHeaders } from '../core/base/upgrade-refusal.ts';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { cors } from './cors.ts';
import { Origins } from '../core/base/origins.ts';
import { peerOf } from './peer.ts';
import type { Pod } from '../core/commands/pod.ts';

export interface SocketsOptions {
  readonly pod: Pod;
  /** Of the pages that may send their cookies. */
  readonly origins: Origins;
  /** WS_PATHS. */
  readonly paths: readonly string[];
  /** How an upgrade like this request would be refused now; undefined if it would succeed. */
  readonly explain: (request: Explained) => Promise<UpgradeRefusal | undefined>;
}

interface Explained {
  /** Path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly socket: { readonly remoteAddress: string | undefined };
}

const corsForAnyOrigin = cors(new Origins(['*']));
const NOT_KEPT = { 'Cache-Control': 'no-store' };
const NO_UPGRADE: UpgradeRefusal = {
  status: 426,
  error: 'this address accepts only WebSocket handshakes',
  code: 'upgrade_required',
};

/**
 * Answers plain HTTP at the WebSocket paths: statistics at `PATH/stats`, with `?explain=1` the answer that an upgrade
 * would get, and otherwise 426 (RFC 9110 section 15.5.22).
 */
export function sockets({ pod, origins, paths, explain }: SocketsOptions): Hono {
  const corsWithCookies = cors(origins);
  const mayRead: MiddlewareHandler = (c, next) =>
    (origins.allowsCredentials(c.req.header('Origin') ?? '') ? corsWithCookies : corsForAnyOrigin)(c, next);
  const app = new Hono();
  const answer = async (c: Context): Promise<Response> => {
    if (c.req.method !== 'GET' || !asksToExplain(c)) return refused(c, NO_UPGRADE);
    const { pathname, search } = new URL(c.req.url);
    const socket = { remoteAddress: peerOf(c) };
    const refusal = await explain({ url: pathname + search, headers: c.req.header(), socket });
    if (refusal !== undefined) return refused(c, refusal);
    return c.json({ status: 'ok', max_message_bytes: pod.limits.maxMessageBytes }, 200, NOT_KEPT);
  };
  for (const path of paths.toSorted((a, b) => b.length - a.length)) {
    for (const route of [`${path}/stats`, `${path}/stats/`]) {
      // For a WebSocket, `stats` is an ordinary room, so `?explain=1` must work for it too.
      app.get(route, (c, next) => (asksToExplain(c) ? next() : c.json(statistics(pod))));
    }
    for (const route of [path, `${path}/*`]) {
      // Pages of any origin may read the answer: it reveals nothing but what the page itself sent. Only pages that may
      // connect with the cookies of a visitor may send them here.
      app.use(route, (c, next) => (asksToExplain(c) ? mayRead(c, next) : next()));
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

function asksToExplain(c: Context): boolean {
  return c.req.query('explain') === '1';
}

function refused(c: Context, refusal: UpgradeRefusal): Response {
  const { status, error, code } = refusal;
  return c.json({ error, code }, status as ContentfulStatusCode, {
    ...NOT_KEPT,
    ...refusalHeaders(refusal),
  });
}
