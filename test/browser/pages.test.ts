import { expect, test } from 'vitest';
import { pages } from '../../src/http/pages.ts';

const app = pages();

function directives(policy: string | null): Map<string, string> {
  const parts = (policy ?? '').split(';').map((part) => part.trim());
  return new Map(parts.map((part) => [part.split(' ', 1)[0] ?? '', part]));
}

test.each([
  ['/', "connect-src 'self'"],
  ['/playground', "connect-src 'self' ws: wss: http: https:"],
])('the page %s comes with a policy under which no foreign or inline script runs', async (path, connects) => {
  const answer = await app.request(path);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('Content-Type')).toBe('text/html; charset=utf-8');
  const policy = directives(answer.headers.get('Content-Security-Policy'));
  expect(policy.get('default-src')).toBe("default-src 'none'");
  expect(policy.get('script-src')).toBe("script-src 'self'");
  expect(policy.get('style-src')).toBe("style-src 'self'");
  expect(policy.get('img-src')).toBe("img-src 'self' data:");
  expect(policy.get('connect-src')).toBe(connects);
  for (const name of ['form-action', 'base-uri', 'frame-ancestors'])
    expect(policy.get(name)).toBe(`${name} 'none'`);
  expect(answer.headers.get('X-Content-Type-Options')).toBe('nosniff');
  expect(answer.headers.get('Referrer-Policy')).toBe('no-referrer');
  expect(answer.headers.get('Cross-Origin-Opener-Policy')).toBe('same-origin');
});

test.each(['/assets/web/chat.ts', '/assets/client/client.ts', '/assets/protocol/close-codes.ts'])(
  '%s is JavaScript without types',
  async (path) => {
    const answer = await app.request(path);
    expect(answer.headers.get('Content-Type')).toBe('text/javascript; charset=utf-8');
    const script = await answer.text();
    expect(script.length).toBeGreaterThan(0);
    expect(script).not.toMatch(/import type|interface |: string/);
  },
);

test('a style sheet comes as one', async () => {
  const answer = await app.request('/assets/web/base.css');
  expect(answer.headers.get('Content-Type')).toBe('text/css; charset=utf-8');
});

test('what is unchanged is not sent again, also through a proxy that compressed it', async () => {
  const first = await app.request('/assets/web/base.css');
  const etag = first.headers.get('ETag') ?? '';
  expect(first.headers.get('Cache-Control')).toBe('no-cache');
  for (const tag of [etag, `W/${etag}`]) {
    const again = await app.request('/assets/web/base.css', { headers: { 'If-None-Match': tag } });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe('');
  }
  const other = await app.request('/assets/web/base.css', { headers: { 'If-None-Match': '"old"' } });
  expect(other.status).toBe(200);
});

test.each([
  '/assets/core/hub.ts',
  '/assets/http/pages.ts',
  '/assets/web/tsconfig.json',
  '/assets/web/chat.html',
  '/assets/web/no-such-file.ts',
  '/assets/web/..%2fmain.ts',
  '/assets/..%2fcore/hub.ts',
  '/assets/web/%2e%2e/%2e%2e/main.ts',
  '/assets/web/..%5cmain.ts',
  '/assets/web/chat.ts%00.css',
  '/assets/%2e%2e/main.ts',
  '/assets/web',
  '/assets/',
])('%s is not there', async (path) => {
  expect((await app.request(path)).status).toBe(404);
});
