import { expect, test } from 'vitest';
import { readToken } from '../../src/web/read-token.ts';

const NOW = Date.UTC(2026, 0, 1);
const SECONDS = NOW / 1_000;

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const HEADER = encode({ alg: 'HS256' });
const withClaims = (claims: object): string => `${HEADER}.${encode(claims)}.c2lnbmVk`;

test.each([
  [{ exp: SECONDS + 3_600 }, 'current', /^Valid for 60 minutes, until /],
  [{ exp: SECONDS + 1 }, 'current', /^Valid for 1 second, until /],
  [{ exp: SECONDS + 200_000.5 }, 'current', /^Valid for 2 days, until /],
  [{}, 'current', /^Valid forever: it has no exp\.$/],
  [{ exp: SECONDS }, 'ended', /^Expired 0 seconds ago, on /],
  [{ exp: 0 }, 'ended', /^Expired 20454 days ago, on /],
  [{ nbf: SECONDS + 120, exp: SECONDS + 3_600 }, 'early', /^Not valid for 2 minutes yet, until /],
  [{ nbf: SECONDS + 120, exp: SECONDS - 120 }, 'ended', /^Expired 2 minutes ago, on /],
  [{ exp: '2027' }, 'broken', /^exp is "2027", and should be seconds since 1970\.$/],
  [{ exp: null }, 'broken', /^exp is null, and should be seconds since 1970\.$/],
  [{ nbf: 1e300 }, 'broken', /^nbf is 1e\+300, and should be seconds since 1970\.$/],
])('of the times %j it is said that they are %s', (claims, standing, words) => {
  const reading = readToken(` ${withClaims(claims)}\n`, NOW);
  expect(reading.standing).toBe(standing);
  expect(reading.words[0]).toMatch(words);
  expect(reading.parts?.claims).toEqual(claims);
  expect(reading.parts?.header).toEqual({ alg: 'HS256' });
});

test.each([
  [withClaims({ iat: SECONDS - 300 }), ['Issued 5 minutes ago.']],
  [withClaims({ iat: SECONDS + 300 }), ['Issued 5 minutes from now.']],
  [withClaims({ exp: NOW + 3_600_000 }), ['exp looks like milliseconds, and should be seconds since 1970.']],
  [`${HEADER}.${encode({})}.`, ['It has no signature: a server refuses it.']],
])('what else is to be known of %s', (token, remarks) => {
  expect(readToken(token, NOW).words.slice(1)).toEqual(remarks);
});

test('text that is not ASCII is read as it was written', () => {
  expect(readToken(withClaims({ name: 'Åsa 🐙' }), NOW).parts?.claims).toEqual({ name: 'Åsa 🐙' });
});

test.each([
  ['abc', 'A token has three parts with dots between them; this has 1.'],
  ['a.b.c.d', 'A token has three parts with dots between them; this has 4.'],
  ['a.b.c.d.e', 'It has five parts: it is encrypted and cannot be read here.'],
  [`Bearer ${withClaims({})}`, 'Leave out the word Bearer; only the token belongs here.'],
  [`.${encode({})}.x`, 'The first part, the header, is empty.'],
  [`${HEADER}=.${encode({})}.x`, 'The first part, the header, is not base64url: there is a “=” in it.'],
  [`${HEADER}.a🐙.x`, 'The second part, the claims, is not base64url: there is a “🐙” in it.'],
  [`${HEADER}.abcde.x`, 'The second part, the claims, is cut off, or is not text.'],
  [`${HEADER}._w.x`, 'The second part, the claims, is cut off, or is not text.'],
  [`${HEADER}.${encode({ a: 1 }).slice(0, -2)}.x`, 'The second part, the claims, is not JSON.'],
  [`${HEADER}.${encode([1])}.x`, 'The second part, the claims, is not a JSON object.'],
  [`${HEADER}.${encode(null)}.x`, 'The second part, the claims, is not a JSON object.'],
])('%s is broken', (text, words) => {
  expect(readToken(text, NOW)).toEqual({ standing: 'broken', words: [words] });
});
