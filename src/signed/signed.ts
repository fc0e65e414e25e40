import { createHmac } from 'node:crypto';

/**
 * The headers of a request to the operator's server, webhook or backend. Each request has its own timestamp (seconds
 * since 1970; `now` is in milliseconds) and signature, so that a receiver can refuse old ones.
 */
export function signed(body: string, secret: string, now: number): Record<string, string> {
  const timestamp = String(Math.floor(now / 1_000));
  const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
  return {
    'Content-Type': 'application/json',
    'User-Agent': 'crosspod',
    'X-Crosspod-Timestamp': timestamp,
    'X-Crosspod-Signature': `sha256=${signature}`,
  };
}
