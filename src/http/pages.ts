import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { type Context, Hono } from 'hono';
import { SOURCES } from '../files.ts';

/** The folders whose code runs in browsers. No other source file is served. */
const FOLDERS = new Set(['web', 'client', 'protocol']);
const ASSET = /^[a-z0-9-]+\.(?:ts|css)$/;

const HTML = 'text/html; charset=utf-8';
const CSS = 'text/css; charset=utf-8';
const JAVASCRIPT = 'text/javascript; charset=utf-8';

/** The chat page connects only to its own server. */
const CHAT_CONNECTS = "'self'";
/** The playground connects to any server that its user names. */
const PLAYGROUND_CONNECTS = "'self' ws: wss: http: https:";

interface Asset {
  readonly body: string;
  readonly type: string;
  readonly etag: string;
}

/**
 * Serves the chat at `/`, the playground at `/playground`, and their files under `/assets/`. Types are stripped from
 * TypeScript at the first request; the relative imports of `.ts` files are valid addresses here.
 */
export function pages(): Hono {
  const assets = new Map<string, Asset>();
  const app = new Hono();

  const answer = (c: Context, path: string, connects = CHAT_CONNECTS): Response | Promise<Response> => {
    const asset = assets.get(path) ?? load(path);
    if (asset === undefined) return c.notFound();
    assets.set(path, asset);
    setHeaders(c, asset, connects);
    // Not an equality: a proxy that compresses turns the tag into a weak one.
    if (c.req.header('If-None-Match')?.includes(asset.etag) === true) return c.body(null, 304);
    return c.body(asset.body);
  };

  app.get('/', (c) => answer(c, 'web/chat.html'));
  app.get('/playground', (c) => answer(c, 'web/playground.html', PLAYGROUND_CONNECTS));
  app.get('/assets/:folder/:file', (c) => {
    const { folder, file } = c.req.param();
    return FOLDERS.has(folder) && ASSET.test(file) ? answer(c, `${folder}/${file}`) : c.notFound();
  });
  return app;
}

function load(path: string): Asset | undefined {
  const file = new URL(path, SOURCES);
  if (!existsSync(file)) return undefined;
  const source = readFileSync(file, 'utf8');
  const body = path.endsWith('.ts') ? stripTypeScriptTypes(source) : source;
  const type = path.endsWith('.ts') ? JAVASCRIPT : path.endsWith('.css') ? CSS : HTML;
  return { body, type, etag: `"${createHash('sha256').update(body).digest('base64url')}"` };
}

function setHeaders(c: Context, { type, etag }: Asset, connects: string): void {
  c.header('Content-Type', type);
  // Browsers revalidate every file, so that no page mixes files of two versions after an upgrade.
  c.header('Cache-Control', 'no-cache');
  c.header('ETag', etag);
  c.header('Content-Security-Policy', contentSecurityPolicy(connects));
  c.header('X-Content-Type-Options', 'nosniff');
  c.header('Referrer-Policy', 'no-referrer');
  c.header('Cross-Origin-Opener-Policy', 'same-origin');
}

function contentSecurityPolicy(connects: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src ${connects}`,
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    // A string that reaches innerHTML or a similar sink throws.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}
