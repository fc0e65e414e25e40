import type { Closed, CrosspodError, Gap } from '../client/client.ts';
import { timeOf } from './words.ts';

/** Sentences for the reasons of a gap; a newer server may give others. */
const GAPS: Readonly<Record<string, string>> = {
  trimmed: 'You missed messages that the server no longer stores.',
  expired: 'You were away so long that the server does not know what you missed.',
  unknown_position: 'You may have missed messages: the server does not know where you were.',
  history_lost: 'You may have missed messages: the server has lost its history.',
  unavailable: 'The server cannot read the history right now. What you missed follows when it can.',
};

const NOT_IN: Readonly<Record<string, string>> = {
  forbidden: 'You may not enter this room.',
  room_full: 'The room is full. Try again later.',
  too_many_rooms: 'You are in as many rooms as the server allows. Leave one of them first.',
};

export function gapWords({ reason, replayed }: Gap): string {
  const words = GAPS[reason] ?? 'You may have missed messages.';
  return replayed > 0 ? `${words} The messages that are still stored follow.` : words;
}

/** Why the user is not in a room; without an error, the server has removed the user. */
export function leftWords(error: CrosspodError | undefined): string {
  if (error === undefined) return 'The server has removed you from this room.';
  return NOT_IN[error.code] ?? `The server does not let you into this room: ${error.message}.`;
}

/** Why something failed that the page did without the user. */
export function refusedWords(error: CrosspodError): string {
  return `The server rejected a request: ${error.message}.`;
}

/** The server's reason for refusing a page's origin. */
export const ORIGIN_REFUSED = 'origin not allowed';

/** Explains a refused origin, which only the operator of the server can allow. */
export function originWords(origin: string): string {
  return (
    `The server does not let pages of ${origin} connect. Its operator can allow them: ` +
    'ALLOWED_ORIGINS with this address, or with “self” for its own pages. The page keeps trying.'
  );
}

/** Explains an outage. Why the attempts fail is left out, because the user could not change it. */
export function outageWords(since: Date): string {
  return `No connection since ${timeOf(since)}. The page keeps trying, and sends what you write when it is connected.`;
}

/** Explains why the connection is closed for good. */
export function endWords({ code, reason }: Closed): string {
  const why = reason === '' ? '' : `: “${reason}”`;
  if (code === 4401) return `Your session has expired${why}. Connect again to continue.`;
  if (code === 4403) return `The operator of this server has disconnected you${why}.`;
  if (code === 400 || code === 403) return `The server does not let you in${why}.`;
  return `The connection has ended for good, with code ${code}${why}.`;
}
