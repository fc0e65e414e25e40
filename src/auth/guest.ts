import { isPrintable, isUserId } from '../protocol/names.ts';
import { SignJWT } from 'jose';

const GUEST_MS = 3_600_000;

export interface GuestOptions {
  /** Undefined while authentication is off, when guests need no token. */
  readonly secret: string | undefined;
  /** The prefix of every guest's user id, so that no guest can take the id of a user. */
  readonly prefix: string;
  readonly permissions: readonly string[] | undefined;
  readonly permissionsClaim: string;
  readonly userClaim: string;
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
  readonly now: () => number;
}

export interface Guest {
  /** Null while authentication is off. */
  readonly token: string | null;
  readonly userId: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Issues tokens to guests for one hour, under names that they choose (seed websocket-chat, guest login). */
export class GuestLogin {
  readonly #options: GuestOptions;

  constructor(options: GuestOptions) {
    this.#options = options;
  }

  /** Undefined if the name cannot be a user id. */
  async login(username: string): Promise<Guest | undefined> {
    const { prefix, secret, now } = this.#options;
    const userId = `${prefix}${username}`;
    // The name alone must be printable: after a prefix, a leading joiner would be allowed.
    if (username.trim() === '' || !isPrintable(username) || !isUserId(userId)) return undefined;
    const expiresAt = now() + GUEST_MS;
    return { userId, expiresAt, token: secret === undefined ? null : await this.#sign(userId, secret) };
  }

  #sign(userId: string, secret: string): Promise<string> {
    const { permissions, permissionsClaim, userClaim, issuer, audience, now } = this.#options;
    const claims = {
      [userClaim]: userId,
      ...(permissions === undefined ? {} : { [permissionsClaim]: permissions }),
    };
    const seconds = Math.floor(now() / 1_000);
    const token = new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setSubject(userId)
      .setIssuedAt(seconds)
      .setJti(crypto.randomUUID())
      .setExpirationTime(seconds + GUEST_MS / 1_000);
    if (issuer !== undefined) token.setIssuer(issuer);
    if (audience !== undefined) token.setAudience(audience);
    return token.sign(new TextEncoder().encode(secret));
  }
}
