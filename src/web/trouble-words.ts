import type { Closed, CrosspodError, Gap } from '../client/client.ts';
import { timeOf } from './words.ts';

/** By reason, what became of the messages that came while the person was away; a newer server may give others. */
const GAPS: Readonly<Record<string, string>> = {
  trimmed: 'You missed messages that are no longer kept.',
  expired: 'You were away for so long that nobody knows what you missed.',
  unknown_position: 'You may have missed messages: the server does not know where you were.',
  history_lost: 'You may have missed messages: the server has lost what was said before.',
  unavailable: 'The server cannot look up now what you have missed. What it finds later follows.',
};

const NOT_IN: Readonly<Record<string, string>> = {
  forbidden: 'You may not enter this room.',
  too_many_rooms: 'You are in as many rooms as you may be. Leave one of them first.',
};

export function gapWords({ reason, replayed }: Gap): string {
  const words = GAPS[reason] ?? 'You may have missed messages.';
  return replayed > 0 ? `${words} What is still kept follows.` : words;
}

/** Why somebody is not in a room; without an error it was the server that took them out. */
export function leftWords(error: CrosspodError | undefined): string {
  if (error === undefined) return 'The server has taken you out of this room.';
  return NOT_IN[error.code] ?? `The server does not let you into this room: ${error.message}.`;
}

/** Why something failed that the page did by itself. */
export function refusedWords(error: CrosspodError): string {
  return `The server refused something: ${error.message}.`;
}

/** Which the server says as its reason. */
export const ORIGIN_REFUSED = 'origin not allowed';

/** Nothing that the person could mend, but whoever runs the server. */
export function originWords(origin: string): string {
  return (
    `The server does not let pages of ${origin} connect. Whoever runs it can allow that: ` +
    'ALLOWED_ORIGINS with this address, or with “self” for its own pages. The page goes on trying.'
  );
}

/** A connection that is away for a while. How attempts at it end is nothing that the person could mend. */
export function outageWords(since: Date): string {
  return `No connection since ${timeOf(since)}. The page goes on trying; what you write is sent then.`;
}

/** Why the connection is closed for good. */
export function endWords({ code, reason }: Closed): string {
  const why = reason === '' ? '' : `: “${reason}”`;
  if (code === 4401) return `Your visit has ended${why}. Come in again to go on.`;
  if (code === 4403) return `Somebody who runs this server has disconnected you${why}.`;
  if (code === 400 || code === 403) return `The server does not let you in${why}.`;
  return `The connection has ended for good, with code ${code}${why}.`;
}
