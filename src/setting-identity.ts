import { fitsKey, usesSecret } from './core/base/token-algorithms.ts';
import { isUserId } from './protocol/names.ts';
import { printable, problem } from './setting-problems.ts';
import type { Values } from './settings.ts';

/** Checks the settings of tokens, guests and signatures together. A missing key would let every client in, or none. */
export function checkIdentity(values: Partial<Values>, auth: boolean, problems: string[]): void {
  checkGuests(values, problems);
  checkAlgorithms(values, problems);
  const { JWT_SECRET, GUEST_LOGIN, WEBHOOK_URL, WEBHOOK_SECRET } = values;
  if (auth && !hasKeys(values) && !backendNames(values)) {
    problems.push(
      problem(
        'AUTH_ENABLED',
        'true',
        'false, or true with JWT_SECRET, JWKS_URL, JWKS_FILE, or connect in BACKEND_EVENTS',
      ),
    );
  }
  if (values.JWT_SECRET_PREVIOUS !== undefined && values.AUTH_ENABLED === undefined && !hasKeys(values)) {
    problems.push(
      'JWT_SECRET_PREVIOUS: given without the key that replaces it; allowed: only with JWT_SECRET, JWKS_URL or JWKS_FILE',
    );
  }
  if (auth && GUEST_LOGIN === true && JWT_SECRET === undefined) {
    problems.push(problem('GUEST_LOGIN', 'true', 'false, or true with JWT_SECRET, which signs guest tokens'));
  }
  if (WEBHOOK_URL !== undefined && WEBHOOK_SECRET === undefined) {
    problems.push('WEBHOOK_SECRET: not set, but WEBHOOK_URL is; allowed: any text, which signs the posts');
  }
}

/** Whether the backend may name users. */
export function backendNames({ BACKEND_EVENTS }: Partial<Values>): boolean {
  return BACKEND_EVENTS?.includes('connect') === true;
}

/** Whether the backend gets the cookies of pages. */
export function passesCookies({ BACKEND_HEADERS }: Partial<Values>): boolean {
  return BACKEND_HEADERS?.includes('cookie') === true;
}

/** Checks the settings of the backend together. Each fault is reported once. */
export function checkBackend(values: Partial<Values>, origins: readonly string[], problems: string[]): void {
  const { BACKEND_URL, BACKEND_SECRET, BACKEND_EVENTS, BACKEND_HEADERS } = values;
  const isFaulty = (name: string): boolean => problems.some((line) => line.startsWith(name));
  if (BACKEND_URL === undefined) {
    for (const [name, value] of Object.entries({ BACKEND_EVENTS, BACKEND_HEADERS })) {
      if (value === undefined || isFaulty('BACKEND_URL')) continue;
      problems.push(`${name}: given without BACKEND_URL; allowed: only with BACKEND_URL`);
    }
    return;
  }
  if (BACKEND_SECRET === undefined && !isFaulty('BACKEND_SECRET')) {
    problems.push(
      'BACKEND_SECRET: not set, but BACKEND_URL is; allowed: any text, which signs the questions',
    );
  }
  if (BACKEND_EVENTS === undefined && !isFaulty('BACKEND_EVENTS')) {
    problems.push(
      'BACKEND_EVENTS: not set, but BACKEND_URL is; allowed: connect, join, publish, leave, call, separated by commas',
    );
  }
  const open = origins.find((origin) => origin === '*' || origin === 'null');
  if (!passesCookies(values) || open === undefined) return;
  problems.push(
    `BACKEND_HEADERS: cookie, while ALLOWED_ORIGINS holds ${open}, would let any page act as its visitor; allowed: cookie only with origins listed by name or wildcard in ALLOWED_ORIGINS`,
  );
}

/** Whether there is a key to check tokens with. */
export function hasKeys({ JWT_SECRET, JWKS_URL, JWKS_FILE }: Partial<Values>): boolean {
  return [JWT_SECRET, JWKS_URL, JWKS_FILE].some((key) => key !== undefined);
}

/** An algorithm without a key that it could be used with is a mistake in one of the two. */
function checkAlgorithms(values: Partial<Values>, problems: string[]): void {
  const { JWT_ALGORITHMS = [], JWT_SECRET, JWT_SECRET_PREVIOUS, JWKS_URL, JWKS_FILE } = values;
  const hasSecret = (JWT_SECRET ?? JWT_SECRET_PREVIOUS) !== undefined;
  const lacksKey = (one: string): boolean => {
    if (usesSecret(one)) return !hasSecret;
    return JWKS_URL === undefined && JWKS_FILE?.keys.some((key) => fitsKey(one, key)) !== true;
  };
  const useless = JWT_ALGORITHMS.filter((one) => lacksKey(one));
  if (useless.length === 0) return;
  const needs = useless.map((one) =>
    usesSecret(one)
      ? `${one} only with JWT_SECRET`
      : `${one} only with JWKS_URL, or with a key of its kind in JWKS_FILE`,
  );
  problems.push(problem('JWT_ALGORITHMS', useless.join(','), needs.join('; ')));
}

/** With an invalid prefix, no name of a guest would give a valid user id. */
function checkGuests({ GUEST_PREFIX = '' }: Partial<Values>, problems: string[]): void {
  if (isUserId(`${GUEST_PREFIX}a`)) return;
  const allowed = 'a text that a user id may begin with: printable characters, not conn: or @';
  problems.push(problem('GUEST_PREFIX', printable(GUEST_PREFIX), allowed));
}
