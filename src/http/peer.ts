import type { ApiEnv } from './api-env.ts';
import type { Context } from 'hono';

/** The address that a request came from: a proxy's, where there is one. */
export function peerOf(c: Context): string | undefined {
  return (c.env as Partial<ApiEnv['Bindings']> | undefined)?.incoming?.socket.remoteAddress;
}
