/** Why an upgrade is not taken, as the HTTP answer that says so (docs/protocol.md, "Connecting"). */
export interface Refusal {
  readonly status: number;
  /** For a person. */
  readonly error: string;
  readonly code: string;
  readonly retryAfterSeconds?: number;
}

/** What stands in the head of that answer besides its type and length. */
export function refusalHeaders({ status, retryAfterSeconds }: Refusal): Record<string, string> {
  return {
    ...(retryAfterSeconds !== undefined && { 'Retry-After': String(retryAfterSeconds) }),
    // RFC 9110 section 15.5.2 asks for it.
    ...(status === 401 && { 'WWW-Authenticate': 'Bearer' }),
  };
}
