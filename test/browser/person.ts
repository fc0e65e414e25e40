import type { Locator, Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { Crosspod } from '../../src/client/client.ts';
import { type Pod, startPod } from '../support/pod.ts';

/** Someone at the chat page: what they see, and what they do. */
export class Person {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  get log(): Locator {
    return this.page.getByRole('log');
  }

  get box(): Locator {
    return this.page.getByRole('textbox', { name: /^Message to/ });
  }

  get members(): Locator {
    return this.page.getByRole('complementary', { name: /member/ }).getByRole('listitem');
  }

  room(name: string): Locator {
    return this.page.getByRole('navigation', { name: 'Rooms' }).getByRole('button', { name });
  }

  async enters(name: string): Promise<this> {
    await this.triesToEnter(name);
    await this.state('connected');
    return this;
  }

  async triesToEnter(name: string): Promise<void> {
    await this.page.getByLabel('Your name').fill(name);
    await this.page.getByRole('button', { name: 'Enter' }).click();
  }

  /** Waits until the page says so: why this person is not let in, or what became of the connection. */
  async isTold(words: string | RegExp): Promise<void> {
    await this.page.getByRole('alert').filter({ hasText: words }).waitFor();
  }

  async says(text: string): Promise<void> {
    await this.box.fill(text);
    await this.box.press('Enter');
  }

  async adds(room: string): Promise<void> {
    await this.page.getByLabel('Join or open a room').fill(room);
    await this.page.getByRole('button', { name: 'Add' }).click();
  }

  /** Waits until the page says that the connection is so. */
  state(words: string): Promise<void> {
    return this.page
      .getByRole('status')
      .and(this.page.getByText(words, { exact: true }))
      .waitFor();
  }

  /** What the page says of the connection from now on, however short a time it says it. */
  async watchesState(): Promise<() => Promise<string[]>> {
    await this.page.evaluate(`
      window.states = [];
      const line = document.getElementById('state');
      new MutationObserver(() => states.push(line.textContent)).observe(line, { childList: true });
    `);
    return () => this.page.evaluate<string[]>('window.states');
  }

  /** Turns to another tab. */
  looksAway(): Promise<void> {
    return this.#see(true);
  }

  looksBack(): Promise<void> {
    return this.#see(false);
  }

  /** The texts of the messages in the log. */
  readonly texts = (): Promise<string[]> => this.log.locator('.rows .text').allTextContents();

  /** The rows of the member list. */
  readonly memberRows = async (): Promise<string[]> => onOneLine(await this.members.allInnerTexts());

  /** The id of what has the focus. */
  readonly focused = (): Promise<string | null> => this.page.locator(':focus').getAttribute('id');

  /** How far to the right the page goes, be it by scrolling or by what is cut off. */
  readonly width = (): Promise<number> =>
    this.page.evaluate<number>(`Math.max(
      document.documentElement.scrollWidth,
      ...Array.from(document.querySelectorAll('main *'), (each) => each.getBoundingClientRect().right),
    )`);

  /** To a browser under test every tab is a visible one. */
  #see(hidden: boolean): Promise<void> {
    const visibilityState = hidden ? 'hidden' : 'visible';
    return this.page.evaluate(`
      Object.defineProperty(document, 'hidden', { configurable: true, value: ${hidden} });
      Object.defineProperty(document, 'visibilityState', { configurable: true, value: '${visibilityState}' });
      document.dispatchEvent(new Event('visibilitychange'));
    `);
  }
}

function onOneLine(texts: string[]): string[] {
  return texts.map((text) => text.replaceAll(/\s+/g, ' ').trim());
}

/** A pod that ends with the test. */
export async function podForTest(env?: Record<string, string>): Promise<Pod> {
  const pod = await startPod(env);
  onTestFinished(async () => {
    await pod.kill();
  });
  return pod;
}

/** A program that takes part, as somebody or with a token; it ends with the test. */
export function script(pod: Pod, who: string | { readonly token: string }): Crosspod {
  const options = typeof who === 'string' ? { userId: who } : { getToken: () => who.token };
  const client = new Crosspod(`${pod.wsUrl}/ws`, options);
  onTestFinished(() => client.close());
  return client;
}
