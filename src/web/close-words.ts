import { CLOSE, type CloseCode, type Reconnect } from '../protocol/close-codes.ts';

const ADVICE: Record<Reconnect, string> = {
  backoff: 'A client comes back after a backoff.',
  'new-token': 'A client comes back with a new token.',
  never: 'A client does not come back by itself.',
};

const UNSEEN =
  'No close frame: the line broke, or the server refused the upgrade ' +
  '(its answer is in the network panel of the developer tools). A client comes back after a backoff.';

/** A close code with its meaning, the server's reason and what a client should do. */
export function closeWords(code: number, reason: string): string {
  const row: CloseCode | undefined = Object.values(CLOSE).find((row) => row.code === code);
  const said = reason === '' ? '' : ` “${reason}”`;
  if (row === undefined) return `closed with ${code}${said}. ${code === 1006 ? UNSEEN : ADVICE.backoff}`;
  return `closed with ${code}${said}. ${row.meaning} ${ADVICE[row.reconnect]}`;
}
