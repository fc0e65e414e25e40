import { type Answer, postJson } from './http-call.ts';
import { plural } from './words.ts';

export const GUEST_PATH = '/api/auth/guest';

/** A user who has no account. */
export interface Guest {
  /** The name that the guest chose; the server may add a prefix to make the user id. */
  readonly name: string;
  readonly userId: string;
  /** Null if the server requires no token. */
  readonly token: string | null;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Why a guest cannot log in. The message is shown to the user. */
export class GuestProblem extends Error {
  override readonly name = 'GuestProblem';
  /** Whether another name may help. */
  readonly isTheName: boolean;

  constructor(message: string, isTheName = false) {
    super(message);
    this.isTheName = isTheName;
  }
}

/** Logs a guest in on the server of this page. Rejects with a GuestProblem. */
export async function logIn(name: string): Promise<Guest> {
  const url = new URL(GUEST_PATH, location.href);
  const answer = await postJson(url, JSON.stringify({ username: name })).catch(() => undefined);
  if (answer === undefined) throw new GuestProblem('The server does not answer. Try again in a moment.');
  return guestOf(name, answer);
}

/** The guest of a server's answer. Throws a GuestProblem if the server refused. */
export function guestOf(name: string, answer: Answer): Guest {
  if (answer.status !== 200) throw problemOf(answer);
  const { token, user_id, expires_at } = JSON.parse(answer.body) as Record<string, string | null>;
  return {
    name,
    userId: user_id ?? name,
    token: token ?? null,
    expiresAt: new Date(expires_at ?? 0).getTime(),
  };
}

function problemOf({ status, retryAfterSeconds: wait }: Answer): GuestProblem {
  if (status === 400)
    return new GuestProblem('The server does not accept this name. Choose another one.', true);
  if (status === 404) {
    return new GuestProblem('This server does not let guests in: its operator has turned guest login off.');
  }
  const later = wait ? `in ${plural(wait, 'second', 'seconds')}` : 'in a moment';
  if (status === 429) return new GuestProblem(`Too many people are joining right now. Try again ${later}.`);
  return new GuestProblem(
    `The server cannot let you in right now (it answered ${status}). Try again ${later}.`,
  );
}
