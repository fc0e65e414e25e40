import { type Answer, postJson } from './http-call.ts';
import { plural } from './words.ts';

export const GUEST_PATH = '/api/auth/guest';

/** Someone whom the server lets in without an account. */
export interface Guest {
  /** What they call themselves; the server may put something before it to make the user id. */
  readonly name: string;
  readonly userId: string;
  /** Null: the server wants none. */
  readonly token: string | null;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Why somebody is not let in; the message is for the person. */
export class GuestProblem extends Error {
  override readonly name = 'GuestProblem';
  /** Whether another name may help. */
  readonly isTheName: boolean;

  constructor(message: string, isTheName = false) {
    super(message);
    this.isTheName = isTheName;
  }
}

/** Asks the server of this page to let somebody in; rejects with a GuestProblem. */
export async function logIn(name: string): Promise<Guest> {
  const url = new URL(GUEST_PATH, location.href);
  const answer = await postJson(url, JSON.stringify({ username: name })).catch(() => undefined);
  if (answer === undefined) throw new GuestProblem('The server does not answer. Try again in a moment.');
  return guestOf(name, answer);
}

/** The guest of an answer; throws the GuestProblem that it tells of. */
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
    return new GuestProblem('The server does not take this name. Choose another one.', true);
  if (status === 404) {
    return new GuestProblem('This server lets no guests in: whoever runs it has switched guest login off.');
  }
  const later = wait ? `in ${plural(wait, 'second', 'seconds')}` : 'in a moment';
  if (status === 429) return new GuestProblem(`Too many people come in at present. Try again ${later}.`);
  return new GuestProblem(
    `The server cannot let you in at present (it answered ${status}). Try again ${later}.`,
  );
}
