import { hmac } from 'k6/crypto';
import encoding from 'k6/encoding';
import type { Settings } from './settings.ts';

const VALID_SECONDS = 24 * 3_600;

function base64url(value: object): string {
  return encoding.b64encode(JSON.stringify(value), 'rawurl');
}

/** The token with which this user connects; undefined where the server asks for none. */
export function tokenFor(user: string, settings: Settings): string | undefined {
  const { token, jwtSecret, jwtIssuer, jwtAudience } = settings;
  if (jwtSecret === undefined) return token;
  const now = Math.floor(Date.now() / 1_000);
  const claims = {
    sub: user,
    iat: now,
    exp: now + VALID_SECONDS,
    ...(jwtIssuer === undefined ? {} : { iss: jwtIssuer }),
    ...(jwtAudience === undefined ? {} : { aud: jwtAudience }),
  };
  const signed = `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url(claims)}`;
  return `${signed}.${hmac('sha256', jwtSecret, signed, 'base64rawurl')}`;
}
