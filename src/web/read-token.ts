import { type Claims, NoToken, type TokenParts, tokenParts } from './token-parts.ts';
import { durationOf } from './words.ts';

/** Whether a token can be used now, by its times; `broken` means that no server would ever accept it. */
export type Standing = 'current' | 'early' | 'ended' | 'broken';

/** What the playground shows about a JSON Web Token. */
export interface TokenReading {
  readonly standing: Standing;
  /** Sentences for the user; the first one describes the standing. */
  readonly words: readonly string[];
  /** Absent if the text is not a token. */
  readonly parts?: TokenParts;
}

const TIMES = ['exp', 'nbf', 'iat'] as const;
const moments = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
/** The latest time that a Date can hold (ECMA-262 section 21.4.1.1). */
const LAST_SECOND = 8_640_000_000_000;
/** The year 5138. A larger number is probably a time in milliseconds. */
const NO_SECONDS = 100_000_000_000;

/** Reads a token without checking its signature. `now` is in milliseconds since 1970. */
export function readToken(text: string, now: number): TokenReading {
  try {
    const parts = tokenParts(text.trim());
    const [standing, words] = standingOf(parts.claims, now);
    return { standing, words: [words, ...remarks(parts, now)], parts };
  } catch (error) {
    if (error instanceof NoToken) return { standing: 'broken', words: [error.message] };
    throw error;
  }
}

function standingOf(claims: Claims, now: number): [Standing, string] {
  const wrong = TIMES.find((name) => claims[name] !== undefined && !isSeconds(claims[name]));
  if (wrong !== undefined) {
    return ['broken', `${wrong} is ${JSON.stringify(claims[wrong])}, and should be seconds since 1970.`];
  }
  const ends = momentIn(claims, 'exp');
  const begins = momentIn(claims, 'nbf');
  if (ends !== undefined && ends <= now) {
    return ['ended', `Expired ${durationOf(now - ends)} ago, on ${moments.format(ends)}.`];
  }
  if (begins !== undefined && begins > now) {
    return ['early', `Not valid for ${durationOf(begins - now)} yet, until ${moments.format(begins)}.`];
  }
  if (ends === undefined) return ['current', 'Valid forever: it has no exp.'];
  return ['current', `Valid for ${durationOf(ends - now)}, until ${moments.format(ends)}.`];
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= LAST_SECOND;
}

/** The time in a claim (RFC 7519 section 2, NumericDate) in milliseconds. */
function momentIn(claims: Claims, name: (typeof TIMES)[number]): number | undefined {
  const seconds = claims[name];
  return isSeconds(seconds) ? seconds * 1_000 : undefined;
}

function remarks({ claims, isSigned }: TokenParts, now: number): string[] {
  const found: string[] = [];
  const issued = momentIn(claims, 'iat');
  if (issued !== undefined) {
    const when = durationOf(Math.abs(now - issued));
    found.push(issued > now ? `Issued ${when} from now.` : `Issued ${when} ago.`);
  }
  for (const name of TIMES) {
    const value = claims[name];
    if (isSeconds(value) && value > NO_SECONDS) {
      found.push(`${name} looks like milliseconds, and should be seconds since 1970.`);
    }
  }
  if (!isSigned) found.push('It has no signature: a server refuses it.');
  return found;
}
