import { errors } from '@nats-io/transport-node';
import type { NatsAddress } from './options.ts';

/**
 * Why the server does not let this pod in, where it does not: it tells nobody whether it is the name, the signature or
 * the time. Undefined: that is not what happened.
 */
export function whyNotLetIn(error: unknown, { credentials }: NatsAddress, now: number): string | undefined {
  if (!(error instanceof errors.AuthorizationError)) return undefined;
  const end = credentials === undefined ? undefined : endOf(credentials);
  if (end === undefined || end > now) return `it does not let this pod in: ${error.message}`;
  return `it does not let this pod in: its credentials ended at ${new Date(end).toISOString()}`;
}

/** In milliseconds since 1970; undefined where they do not end, or where what is in the file is something else. */
function endOf(credentials: string): number | undefined {
  const [, claims = ''] = /^[\w-]+\.([\w-]+)\.[\w-]+\s*$/m.exec(credentials) ?? [];
  try {
    const { exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { exp?: unknown };
    return Number.isSafeInteger(exp) && exp !== 0 ? Number(exp) * 1_000 : undefined;
  } catch {
    return undefined;
  }
}
