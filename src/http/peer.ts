import type { ApiEnv } from './api-env.ts';
import type { Context } from 'hono';
import { namedHost } from '../core/base/named-host.ts';
import type { TrustedProxies } from '../core/base/trusted-proxies.ts';

/** The address that a request came from: a proxy's, where there is one. */
export function peerOf(c: Context): string | undefined {
  return (c.env as Partial<ApiEnv['Bindings']> | undefined)?.incoming?.socket.remoteAddress;
}

/** The host that a client asked for, also where a trusted proxy writes another into `Host`. */
export function hostOf(c: Context, proxies: TrustedProxies): string | undefined {
  const host = c.req.header('Host');
  const forwardedHost = c.req.header('X-Forwarded-Host');
  return namedHost({ host, forwardedHost, peer: peerOf(c) }, proxies);
}
