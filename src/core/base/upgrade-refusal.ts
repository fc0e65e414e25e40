import type { Refusal } from '../ports/hooks.ts';
import type { ErrorCode, OwnCode } from '../../protocol/error-codes.ts';

/** The codes with which the pod itself refuses an upgrade. */
export const UPGRADE_REFUSALS = [
  'backend_unavailable',
  'bad_handshake',
  'blocked',
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
  'token_revoked',
  'too_many_connections',
  'unavailable',
  'upgrade_required',
] as const;

/** A hook or the backend may also refuse with any code of an error frame, or one of its own. */
export type RefusalCode = (typeof UPGRADE_REFUSALS)[number] | ErrorCode | OwnCode;

/** Why an upgrade is refused, as its HTTP answer (docs/protocol.md, "Connecting"). */
export interface UpgradeRefusal {
  readonly status: number;
  /** For people. */
  readonly error: string;
  readonly code: RefusalCode;
  readonly retryAfterSeconds?: number;
}

const RETRY_AFTER_SECONDS = 5;
/** About as long as nothing is asked of a backend that does not answer. */
const BACKEND_RETRY_SECONDS = 2;

export function retryLater(
  status: number,
  error: string,
  code: RefusalCode,
  retryAfterSeconds = RETRY_AFTER_SECONDS,
): UpgradeRefusal {
  return { status, error, code, retryAfterSeconds };
}

/** Nobody could decide whether the client may connect. */
export function backendUnavailable(): UpgradeRefusal {
  const error = 'this cannot be decided now; retry later';
  return retryLater(503, error, 'backend_unavailable', BACKEND_RETRY_SECONDS);
}

/** Turns the refusal of a hook or of the backend into an HTTP answer. */
export function refusalOf({ by, rejection: { code, error } }: Refusal): UpgradeRefusal {
  if (by === 'backend') return { status: 403, error, code };
  switch (code) {
    case 'internal':
    case 'unavailable':
      return retryLater(503, error, code);
    case 'rate_limited':
      return retryLater(429, error, code);
    case 'invalid_token':
    case 'token_expired':
      return { status: 401, error, code };
    default:
      return { status: 403, error, code };
  }
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
