const PATIENCE_MS = 10_000;

export interface Answer {
  readonly status: number;
  readonly body: string;
  /** What the header Retry-After says; undefined where it says nothing, or nothing this page may see. */
  readonly retryAfterSeconds: number | undefined;
}

/** Posts JSON text; rejects when no answer comes, or none that this page may read. */
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
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const wait = answer.headers.get('Retry-After');
  return {
    status: answer.status,
    body: await answer.text(),
    retryAfterSeconds: wait === null ? undefined : Number(wait),
  };
}
