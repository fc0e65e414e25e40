import type { ErrorCode } from '../../protocol/error-codes.ts';

/** The codes with which the pod itself refuses an upgrade. */
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

/** A hook may also refuse with any code of an error frame. */
export type RefusalCode = (typeof UPGRADE_REFUSALS)[number] | ErrorCode;

/** Why an upgrade is refused, as its HTTP answer (docs/protocol.md, "Connecting"). */
export interface UpgradeRefusal {
  readonly status: number;
  /** For people. */
  readonly error: string;
  readonly code: RefusalCode;
  readonly retryAfterSeconds?: number;
}

/** The headers of that answer, besides type and length. */
export function refusalHeaders({ status, retryAfterSeconds }: UpgradeRefusal): Record<string, string> {
  return {
    ...(retryAfterSeconds !== undefined && { 'Retry-After': String(retryAfterSeconds) }),
    // RFC 9110 section 15.5.2 requires it.
    ...(status === 401 && { 'WWW-Authenticate': 'Bearer' }),
    // RFC 9110 section 15.5.22 and RFC 6455 section 4.4 require these.
    ...(status === 426 && { Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' }),
  };
}
