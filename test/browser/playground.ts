import type { Page } from 'playwright-core';

type Frame = Record<string, unknown>;

/** The playground and what its log says. */
export class Playground {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async fills(fields: Record<string, string>): Promise<void> {
    for (const [name, value] of Object.entries(fields)) {
      const field = this.page.locator(`[name=${name}]`);
      if (await field.evaluate((element) => element.tagName === 'SELECT')) await field.selectOption(value);
      else await field.fill(value);
    }
  }

  async connects(): Promise<void> {
    await this.page.getByRole('button', { name: 'Connect', exact: true }).click();
    await this.page.getByRole('status').filter({ hasText: 'connected' }).waitFor();
  }

  sends(type: string): Promise<void> {
    return this.page.getByRole('button', { name: type, exact: true }).click();
  }

  readonly sent = (): Promise<Frame[]> => this.#frames('sent');

  readonly received = (): Promise<Frame[]> => this.#frames('received');

  lineSays(words: string | RegExp): Promise<void> {
    return this.page.locator('[data-kind=connection]').filter({ hasText: words }).waitFor();
  }

  /** What was asked by HTTP and answered, one text each. */
  readonly calls = (): Promise<string[]> =>
    this.page.locator('[data-kind=request] .text, [data-kind=answer] .text').allTextContents();

  async posts(): Promise<void> {
    await this.page.getByRole('button', { name: 'Post this event' }).click();
  }

  /** What was called of the client, what came of it, and what the client told, without the frames beneath. */
  readonly told = (): Promise<string[]> =>
    this.page.locator(':is([data-kind=call], [data-kind=result], [data-kind=event]) .text').allTextContents();

  /** Waits until the client has told so. */
  async tells(words: string | RegExp): Promise<void> {
    const rows = this.page.locator(':is([data-kind=result], [data-kind=event]) .text');
    await rows.filter({ hasText: words }).first().waitFor();
  }

  async #frames(kind: string): Promise<Frame[]> {
    const texts = await this.page.locator(`[data-kind=${kind}] .text`).allTextContents();
    return texts.map((text) => JSON.parse(text) as Frame);
  }
}
