import { ApiError, unsupportedMediaType } from './errors.ts';
import type { Context, MiddlewareHandler } from 'hono';
import { isUtf8 } from 'node:buffer';
import { hostOf } from './peer.ts';
import { isOfHost, type Origins } from '../core/base/origins.ts';
import type { TrustedProxies } from '../core/base/trusted-proxies.ts';

const JSON_TYPE = /^application\/json\s*(?:;|$)/i;

/**
 * Reads a request's body, at most as many bytes as `limitOf` gives for the path: 415 for what is not said to be JSON,
 * 413 as soon as it has become too long, whatever Content-Length says, 400 for what is not UTF-8. The schema of the
 * route looks at what is in it; to a schema no body is `null`, which those that need one refuse.
 */
export function body(
  limitOf: (path: string) => number,
  origins: Origins,
  trustProxy: TrustedProxies,
): MiddlewareHandler {
  return async (c, next) => {
    if (c.req.method === 'POST') {
      const { raw } = c.req;
      const type = c.req.header('Content-Type');
      if (type !== undefined && !JSON_TYPE.test(type)) throw unsupportedMediaType();
      const limit = limitOf(c.req.path);
      if (Number(c.req.header('Content-Length') ?? 0) > limit) throw tooLarge(limit);
      const bytes = await read(raw.body, limit);
      if (bytes.length > 0 && type === undefined) throw unsupportedMediaType();
      if (!isUtf8(bytes)) throw new ApiError(400, 'invalid_json', 'the body is not UTF-8');
      if (bytes.length === 0) refuseForeignPage(c, origins, trustProxy);
      const headers = new Headers(raw.headers);
      headers.set('Content-Type', 'application/json');
      c.req.raw = new Request(raw, {
        method: raw.method,
        headers,
        body: bytes.length === 0 ? 'null' : bytes,
      });
    }
    await next();
  };
}

/** A browser asks nobody before it sends a POST without a body, whichever page wants it. */
function refuseForeignPage(c: Context, origins: Origins, trustProxy: TrustedProxies): void {
  const origin = c.req.header('Origin');
  if (origin === undefined || origins.allow(origin)) return;
  if (isOfHost(origin, hostOf(c, trustProxy) ?? '')) return;
  throw new ApiError(403, 'forbidden', 'ALLOWED_ORIGINS does not list the page that sends this');
}

async function read(stream: ReadableStream<Uint8Array> | null, limit: number): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of stream ?? []) {
      size += chunk.length;
      if (size > limit) throw tooLarge(limit);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof ApiError) throw error;
    // The caller went away in the middle: nobody reads the answer, and it is nobody's fault here.
    throw new ApiError(400, 'invalid_request', 'the body ended early');
  }
  return Buffer.concat(chunks);
}

function tooLarge(limit: number): ApiError {
  return new ApiError(413, 'too_large', `the body may have ${limit} bytes`);
}
