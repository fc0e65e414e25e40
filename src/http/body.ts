import { ApiError, unsupportedMediaType } from './errors.ts';
import type { Context, MiddlewareHandler } from 'hono';
import { isUtf8 } from 'node:buffer';
import { hostOf } from './peer.ts';
import { isOfHost, type Origins } from '../core/base/origins.ts';
import type { TrustedProxies } from '../core/base/trusted-proxies.ts';

const JSON_TYPE = /^application\/json\s*(?:;|$)/i;

/**
 * Reads a request's body, at most `limitOf(path)` bytes of it. Raises 415 if its type is not JSON, 413 as soon as it is
 * too long (whatever Content-Length says), and 400 if it is not UTF-8. The schema of the route gets `null` for an
 * absent body, and refuses that if it needs one.
 */
export function body(
  limitOf: (path: string) => number,
  origins: Origins,
  trustProxy: TrustedProxies,
): MiddlewareHandler {
  return async (c, next) => {
    if (c.req.method === 'POST' || c.req.method === 'PUT') {
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

/** A browser sends a POST without a body for any page, without a preflight. */
function refuseForeignPage(c: Context, origins: Origins, trustProxy: TrustedProxies): void {
  const origin = c.req.header('Origin');
  if (origin === undefined || origins.allow(origin)) return;
  if (isOfHost(origin, hostOf(c, trustProxy) ?? '')) return;
  throw new ApiError(403, 'forbidden', 'ALLOWED_ORIGINS does not allow the page that sent this request');
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
    // The caller disconnected while it sent the body. That is no fault of this pod, so it must not become a 500.
    throw new ApiError(400, 'invalid_request', 'the body is incomplete');
  }
  return Buffer.concat(chunks);
}

function tooLarge(limit: number): ApiError {
  return new ApiError(413, 'too_large', `the body may have at most ${limit} bytes`);
}
