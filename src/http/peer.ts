import type { ApiEnv } from './api-env.ts';
import type { Context } from 'hono';
import { namedHost } from '../core/base/named-host.ts';
import type { TrustedProxies } from '../core/base/trusted-proxies.ts';

/** The address at the other end of the socket, which may be a proxy. */
export function peerOf(c: Context): string | undefined {
  return (c.env as Partial<ApiEnv['Bindings']> | undefined)?.incoming?.socket.remoteAddress;
}

/** The host that the client requested, even if a trusted proxy replaced `Host`. */
export function hostOf(c: Context, proxies: TrustedProxies): string | undefined {
  const host = c.req.header('Host');
  const forwardedHost = c.req.header('X-Forwarded-Host');
  return namedHost({ host, forwardedHost, peer: peerOf(c) }, proxies);
}
