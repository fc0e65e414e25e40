import { CLOSE, type Reconnect, reconnectAfter } from '../protocol/close-codes.ts';
import { CLOSE_MEANINGS } from '../protocol/close-meanings.ts';

const ADVICE: Record<Reconnect, string> = {
  backoff: 'A client reconnects after a backoff.',
  'new-token': 'A client reconnects with a new token.',
  never: 'A client does not reconnect by itself.',
};

const UNSEEN =
  'No close frame: the connection was lost, or the server refused the upgrade ' +
  '(its answer is in the network panel of the developer tools). A client reconnects after a backoff.';

const NAMES = Object.keys(CLOSE) as (keyof typeof CLOSE)[];

/** A sentence with the close code, its meaning, the server's reason and what a client should do. */
export function closeWords(code: number, reason: string): string {
  const name = NAMES.find((name) => CLOSE[name].code === code);
  const said = reason === '' ? '' : ` “${reason}”`;
  if (name === undefined) return `closed with ${code}${said}. ${code === 1006 ? UNSEEN : ADVICE.backoff}`;
  return `closed with ${code}${said}. ${CLOSE_MEANINGS[name]} ${ADVICE[reconnectAfter(code)]}`;
}
