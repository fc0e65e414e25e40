import {
  type Browser,
  type BrowserContextOptions,
  chromium,
  type ConsoleMessage,
  type Page,
} from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { requireProgram } from '../../scripts/requirements.ts';

const ARGS = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** For `expect.poll`: as long as a loaded machine may need; a test that succeeds never waits so long. */
export const PATIENT = { timeout: 10_000 };

/**
 * What Chromium writes to the console while a server is unavailable, for `expected`. A server that dies during a request
 * has several names, by the moment: `SOCKET_NOT_CONNECTED` is a kept connection that ended just before its next request.
 */
export const SERVER_AWAY =
  /WebSocket connection to .* failed|net::ERR_(?:CONNECTION_\w+|SOCKET_NOT_CONNECTED|EMPTY_RESPONSE|INTERNET_DISCONNECTED)|status of 503/;

interface OpenOptions extends BrowserContextOptions {
  /** Console errors that belong to the test, such as those of a server that is away. */
  readonly expected?: RegExp;
  /** The HTTP answers of 400 and above that must come, each once: `404 /api/auth/guest`. Chromium logs each as an error. */
  readonly refusals?: readonly string[];
}

/** What Chromium writes to the console for an HTTP answer of 400 and above. */
const REFUSED = /^Failed to load resource: the server responded with a status of (\d+) /;

/** A pod whose machine is too busy takes no new connections for some seconds; pages come again. */
const BUSY =
  /Unexpected response code: 503$|^Failed to load resource: the server responded with a status of 503 /;

/** Opens pages as people do, each with a browser profile of its own. */
export type OpenPage = (url: string, options?: OpenOptions) => Promise<Page>;

/**
 * A browser for the tests of a file. After each test its pages are closed, and whatever they complained of (an
 * exception, a console error, a breach of the content security policy) fails the test.
 */
export function useBrowser(): OpenPage {
  let browser: Browser;
  let problems: string[] = [];
  /** Refusals that are still to come. */
  let awaited: string[] = [];
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: requireProgram('chromium'), args: ARGS });
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    try {
      await expect.poll(() => awaited, PATIENT).toEqual([]);
    } finally {
      for (const context of browser.contexts()) await context.close();
      awaited = [];
    }
    const found = problems;
    problems = [];
    expect(found).toEqual([]);
  });

  /** Whether it is the console's word about an answer that the test waits for, or that may come at any time. */
  const wasAwaited = (message: ConsoleMessage): boolean => {
    if (BUSY.test(message.text())) return true;
    const [, status] = REFUSED.exec(message.text()) ?? [];
    const url = URL.parse(message.location().url);
    const place = awaited.indexOf(`${status} ${url?.pathname}`);
    if (place >= 0) awaited.splice(place, 1);
    return place >= 0;
  };

  return async (url, { expected, refusals = [], ...options } = {}) => {
    awaited.push(...refusals);
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    const page = await context.newPage();
    const complain = (problem: string): void => {
      if (expected?.test(problem) !== true) problems.push(problem);
    };
    page.on('pageerror', (error) => complain(String(error)));
    page.on('console', (message) => {
      if (!['error', 'warning'].includes(message.type()) || wasAwaited(message)) return;
      complain(message.text());
    });
    await page.goto(url);
    return page;
  };
}

/**
 * From now on no timer of the page goes off, so that it does not come back before the test lets it by
 * `page.clock.resume`; needs `page.clock.install`.
 */
export async function stopClock(page: Page): Promise<void> {
  // Its clock runs on until it is stopped, and cannot be stopped at a time that has gone by.
  await page.clock.pauseAt((await page.evaluate<number>('Date.now()')) + 10_000);
}
