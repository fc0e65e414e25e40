import { byId } from './dom.ts';

/** On a phone the lists of rooms and members are drawers: a button opens one, Escape or a tap outside closes it. */
export class Drawers {
  readonly #scrim = byId('scrim', HTMLElement);
  #open: { readonly panel: HTMLElement; readonly opener: HTMLElement } | undefined;

  constructor(openers: readonly HTMLElement[]) {
    for (const opener of openers) opener.addEventListener('click', () => this.#show(opener));
    this.#scrim.addEventListener('click', () => this.close());
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.close();
    });
  }

  /** Closes the open drawer and returns the focus to its button; returns false if no drawer was open. */
  close(): boolean {
    if (this.#open === undefined) return false;
    const { panel, opener } = this.#open;
    panel.classList.remove('open');
    opener.setAttribute('aria-expanded', 'false');
    this.#scrim.hidden = true;
    this.#open = undefined;
    opener.focus();
    return true;
  }

  #show(opener: HTMLElement): void {
    const panel = byId(opener.getAttribute('aria-controls') ?? '', HTMLElement);
    panel.classList.add('open');
    opener.setAttribute('aria-expanded', 'true');
    this.#scrim.hidden = false;
    this.#open = { panel, opener };
    const first = panel.querySelector<HTMLElement>('[aria-current]') ?? panel.querySelector('button');
    first?.focus();
  }
}
