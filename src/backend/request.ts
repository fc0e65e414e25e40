import {
  Agent as HttpAgent,
  type IncomingMessage,
  request as httpRequest,
  type RequestOptions,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Clock } from '../core/ports/clock.ts';
import type { HttpAddress } from '../core/base/http-address.ts';
import { signed } from '../signed/signed.ts';

/** The longest answer. */
const MOST_BYTES = 65_536;
/** An idle connection is closed before usual servers close theirs (Node and uvicorn after 5 s). */
const IDLE_MS = 4_000;
/** Answers of a proxy whose backend cannot be reached. */
const GATEWAY_STATUS: ReadonlySet<number | undefined> = new Set([502, 503, 504]);

/** `unreachable` counts for the breaker; `faulty` is an answer that cannot be used. `reason` is safe to log. */
export type Reply =
  | { readonly kind: 'answer'; readonly text: string }
  | { readonly kind: 'unreachable'; readonly reason: string; readonly isLate: boolean }
  | { readonly kind: 'faulty'; readonly reason: string };

export interface RequesterOptions extends HttpAddress {
  readonly secret: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** Posts questions to the backend over connections that are kept. Follows no redirect. */
export class Requester {
  readonly #options: RequesterOptions;
  readonly #agent: HttpAgent;

  constructor(options: RequesterOptions) {
    this.#options = options;
    const settings = { keepAlive: true, timeout: IDLE_MS, scheduling: 'lifo' } as const;
    this.#agent = this.#isSecure ? new HttpsAgent(settings) : new HttpAgent(settings);
  }

  get #isSecure(): boolean {
    return this.#options.address.protocol === 'https:';
  }

  /**
   * Posts once, or again if `mayRepeat` and the backend had just closed the kept connection. Never rejects; the time
   * limit counts from now and includes reading the answer.
   */
  async post(body: string, mayRepeat: boolean): Promise<Reply> {
    const { clock, timeoutMs } = this.#options;
    const late = new AbortController();
    const cancel = clock.after(timeoutMs, () => late.abort());
    try {
      const first = await this.#once(body, late.signal);
      if (mayRepeat && first.kind === 'unreachable' && first.wasKept)
        return await this.#once(body, late.signal);
      return first;
    } finally {
      cancel();
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #once(body: string, late: AbortSignal): Promise<Reply & { readonly wasKept?: boolean }> {
    return new Promise((resolve) => {
      const request = (this.#isSecure ? httpsRequest : httpRequest)(
        this.#options.address,
        this.#headOf(body, late),
        (answer) => void read(answer, late).then(resolve),
      );
      request.on('error', (error: NodeJS.ErrnoException) => {
        const reason = late.aborted ? 'timeout' : (error.code ?? error.name);
        const wasKept = request.reusedSocket && ['ECONNRESET', 'EPIPE'].includes(error.code ?? '');
        resolve({ kind: 'unreachable', reason, isLate: late.aborted, wasKept });
      });
      request.end(body);
    });
  }

  #headOf(body: string, signal: AbortSignal): RequestOptions {
    const { authorization, secret, clock } = this.#options;
    const length = { 'Content-Length': Buffer.byteLength(body), Accept: 'application/json' };
    return {
      method: 'POST',
      agent: this.#agent,
      signal,
      headers: { ...authorization, ...signed(body, secret, clock.now()), ...length },
    };
  }
}

/** Never rejects. */
async function read(answer: IncomingMessage, late: AbortSignal): Promise<Reply> {
  const { statusCode: status } = answer;
  // Also of an answer that decides nothing, so that its connection can carry the next question.
  const text = await textOf(answer);
  if (status !== 200) {
    const reason = `status ${status}`;
    if (GATEWAY_STATUS.has(status)) return { kind: 'unreachable', reason, isLate: false };
    return { kind: 'faulty', reason };
  }
  if (text === 'long') return { kind: 'faulty', reason: `more than ${MOST_BYTES} bytes` };
  if (text !== 'broken') return text;
  const isLate = late.aborted;
  return { kind: 'unreachable', reason: isLate ? 'timeout' : 'the answer broke off', isLate };
}

/** Destroys the connection if the answer is too long. */
async function textOf(
  answer: IncomingMessage,
): Promise<Extract<Reply, { kind: 'answer' }> | 'long' | 'broken'> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MOST_BYTES) return 'long';
      chunks.push(chunk);
    }
  } catch {
    return 'broken';
  }
  return { kind: 'answer', text: Buffer.concat(chunks).toString() };
}
