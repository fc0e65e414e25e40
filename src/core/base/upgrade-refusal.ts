import type { ErrorCode } from '../../protocol/error-codes.ts';

/** Every `code` with which the pod itself refuses an upgrade. */
export const UPGRADE_REFUSALS = [
  'bad_handshake',
  'draining',
  'forbidden',
  'invalid_dialect',
  'invalid_history',
  'invalid_room',
  'invalid_token',
  'invalid_user_id',
  'missing_dialect',
  'missing_token',
  'not_found',
  'origin_not_allowed',
  'overloaded',
  'rate_limited',
  'server_at_capacity',
  'token_expired',
  'too_many_connections',
  'unavailable',
  'upgrade_required',
] as const;

/** A hook may refuse with any code that an error frame may have. */
export type RefusalCode = (typeof UPGRADE_REFUSALS)[number] | ErrorCode;

/** Why an upgrade is not taken, as the HTTP answer that says so (docs/protocol.md, "Connecting"). */
export interface UpgradeRefusal {
  readonly status: number;
  /** For a person. */
  readonly error: string;
  readonly code: RefusalCode;
  readonly retryAfterSeconds?: number;
}

/** What stands in the head of that answer besides its type and length. */
export function refusalHeaders({ status, retryAfterSeconds }: UpgradeRefusal): Record<string, string> {
  return {
    ...(retryAfterSeconds !== undefined && { 'Retry-After': String(retryAfterSeconds) }),
    // RFC 9110 section 15.5.2 asks for it.
    ...(status === 401 && { 'WWW-Authenticate': 'Bearer' }),
    // And for these section 15.5.22, and RFC 6455 section 4.4.
    ...(status === 426 && { Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' }),
  };
}
