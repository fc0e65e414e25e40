import { errors } from '@nats-io/transport-node';
import type { NatsAddress } from './options.ts';

/**
 * Why the server rejected this pod's login; undefined if `error` is another error. The server itself does not say
 * whether the name, the signature or the expiry is wrong.
 */
export function whyNotLetIn(error: unknown, { credentials }: NatsAddress, now: number): string | undefined {
  if (!(error instanceof errors.AuthorizationError)) return undefined;
  const end = credentials === undefined ? undefined : endOf(credentials);
  if (end === undefined || end > now) return `it does not let this pod in: ${error.message}`;
  return `it does not let this pod in: its credentials expired at ${new Date(end).toISOString()}`;
}

/** In milliseconds since 1970; undefined if the credentials do not expire or cannot be read. */
function endOf(credentials: string): number | undefined {
  const [, claims = ''] = /^[\w-]+\.([\w-]+)\.[\w-]+\s*$/m.exec(credentials) ?? [];
  try {
    const { exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { exp?: unknown };
    return Number.isSafeInteger(exp) && exp !== 0 ? Number(exp) * 1_000 : undefined;
  } catch {
    return undefined;
  }
}
