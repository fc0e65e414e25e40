import { describe, expect, test } from 'vitest';
import * as fc from 'fast-check';
import { Origins } from '../../src/core/base/origins.ts';

const scheme = fc.constantFrom('http', 'https');
const port = fc.constantFrom('', ':1', ':8443');
const label = fc.constantFrom('a', 'b', 'ex', 'x-1');
const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
const origin = fc.tuple(scheme, host, port).map(([s, h, p]) => `${s}://${h}${p}`);
const pattern = fc
  .tuple(scheme, fc.boolean(), host, port)
  .map(([s, below, h, p]) => `${s}://${below ? '*.' : ''}${h}${p}`);

/** The sentence of the protocol over the parts of the two, as a URL parser sees them. */
function covers(allowed: string, from: string): boolean {
  const [one, other] = [new URL(allowed.replace('*.', '')), new URL(from)];
  if (one.protocol !== other.protocol || one.port !== other.port) return false;
  return allowed.includes('*')
    ? other.hostname.endsWith(`.${one.hostname}`)
    : one.hostname === other.hostname;
}

describe('Origins', () => {
  test('allow only what a pattern matches', () => {
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 4 }), origin, (patterns, from) => {
        const expected = patterns.some((allowed) => covers(allowed, from));
        expect(new Origins(patterns).allow(from)).toBe(expected);
      }),
      { numRuns: 5_000 },
    );
  });

  test('allow everything if the list contains a star', () => {
    fc.assert(
      fc.property(fc.array(pattern), fc.string(), (patterns, from) => {
        const origins = new Origins([...patterns, '*']);
        expect([origins.any, origins.allow(from)]).toEqual([true, true]);
        expect(new Origins(patterns).any).toBe(false);
      }),
    );
  });

  test('refuse what is not an origin', () => {
    const origins = new Origins(['https://app.example.com', 'https://*.example.com']);
    fc.assert(
      fc.property(fc.string(), fc.constantFrom('', '.example.com'), (text, end) => {
        const from = `https://${text}${end}`;
        fc.pre(from !== 'https://app.example.com' && !/^[A-Za-z0-9.-]*$/.test(text));
        expect(origins.allow(from)).toBe(false);
      }),
    );
  });

  test('ignore the case of a pattern', () => {
    const origins = new Origins(['HTTPS://App.Example.com', 'https://*.Example.ORG']);
    expect(origins.allow('https://app.example.com')).toBe(true);
    expect(origins.allow('https://a.example.org')).toBe(true);
  });

  test('know the default port of a scheme', () => {
    const origins = new Origins(['https://a.example:443', 'http://*.example:80']);
    expect(origins.allow('https://a.example')).toBe(true);
    expect(origins.allow('http://b.example')).toBe(true);
    expect(origins.allow('http://a.example:443')).toBe(false);
  });

  test.each<[origin: string, host: string, plain: boolean, withCookies: boolean]>([
    ['https://chat.example', 'chat.example', true, true],
    ['https://chat.example', 'chat.example:443', true, true],
    ['https://chat.example:443', 'chat.example', true, true],
    ['wss://chat.example', 'chat.example', true, true],
    ['https://chat.example:8443', 'chat.example:8443', true, true],
    ['http://chat.example', 'chat.example', true, false],
    ['http://chat.example', 'chat.example:80', true, false],
    ['ws://chat.example', 'chat.example', true, false],
    ['http://localhost:8080', 'localhost:8080', true, true],
    ['http://app.localhost', 'app.localhost', true, true],
    ['http://127.0.0.2:8080', '127.0.0.2:8080', true, true],
    ['http://[::1]:8080', '[::1]:8080', true, true],
    ['http://[::1]:8080', '[0:0:0:0:0:0:0:1]:8080', true, true],
    ['https://[2001:db8::1]', '[2001:DB8:0::1]:443', true, true],
    ['http://[2001:db8::1]', '[2001:db8::1]', true, false],
    ['http://localhost.evil.example', 'localhost.evil.example', true, false],
    ['http://127.0.0.1.evil.example', '127.0.0.1.evil.example', true, false],
    ['http://evillocalhost', 'evillocalhost', true, false],
    ['https://chat.example', 'chat.example:80', false, false],
    ['http://chat.example', 'chat.example:443', false, false],
    ['https://chat.example', 'evil.example', false, false],
    ['http://[::1', '[::1', true, false],
    ['null', 'null', false, false],
    ['', '', false, false],
  ])('self, from %s to %s: %s, and %s where cookies are passed on', (from, host, plain, withCookies) => {
    expect(new Origins(['self']).allow(from, host)).toBe(plain);
    const careful = new Origins(['self', 'https://app.example.com'], { withCookies: true });
    expect(careful.allow(from, host)).toBe(withCookies);
    expect(careful.allowsCredentials(from)).toBe(false);
    expect(careful.allowsCredentials('https://app.example.com')).toBe(true);
  });
});
