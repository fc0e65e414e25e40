const TIMEOUT_MS = 10_000;

export interface Answer {
  readonly status: number;
  readonly body: string;
  /** From the header Retry-After; undefined if there is none, or if this page may not read it. */
  readonly retryAfterSeconds: number | undefined;
}

/** Posts JSON text. Rejects if no answer comes within 10 s, or if this page may not read it. */
export async function postJson(
  url: URL,
  json: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: json,
    credentials: 'omit',
    cache: 'no-store',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const wait = answer.headers.get('Retry-After');
  return {
    status: answer.status,
    body: await answer.text(),
    retryAfterSeconds: wait === null ? undefined : Number(wait),
  };
}
