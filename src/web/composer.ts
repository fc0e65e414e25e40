import { byId } from './dom.ts';

/** The message box: Enter sends, Shift and Enter begin a new line. */
export class Composer {
  readonly #form = byId('composer', HTMLFormElement);
  readonly #text = byId('text', HTMLTextAreaElement);
  readonly #label = byId('text-label', HTMLElement);

  constructor(send: (text: string) => void) {
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      const text = this.#text.value.trim();
      this.#text.value = '';
      this.#text.focus();
      if (text !== '') send(text);
    });
    this.#text.addEventListener('keydown', (event) => {
      // While an input method is composing, Enter accepts its suggestion.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#form.requestSubmit();
    });
  }

  get draft(): string {
    return this.#text.value;
  }

  /** Switches to a room and restores its draft. */
  address(room: string, draft: string): void {
    this.#text.value = draft;
    this.#text.placeholder = `Message to ${room}`;
    this.#label.textContent = `Message to ${room}`;
  }

  focus(): void {
    this.#text.focus();
  }
}
