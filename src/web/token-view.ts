import { byId } from './dom.ts';
import { readToken } from './read-token.ts';

const TICK_MS = 1_000;

/** Shows the content of the token below its field. The token does not leave the page. */
export function showToken(input: HTMLInputElement): void {
  const box = byId('token', HTMLElement);
  const draw = (): void => {
    box.hidden = input.value.trim() === '';
    if (!box.hidden) drawToken(box, input);
  };
  input.addEventListener('input', draw);
  setInterval(draw, TICK_MS);
  draw();
}

function drawToken(box: HTMLElement, input: HTMLInputElement): void {
  const { standing, words, parts } = readToken(input.value, Date.now());
  box.dataset['standing'] = standing;
  input.setAttribute('aria-invalid', String(standing === 'broken'));
  write('token-standing', words[0] ?? '');
  write('token-remarks', words.slice(1).join(' '));
  byId('token-parts', HTMLElement).hidden = parts === undefined;
  write('token-header', JSON.stringify(parts?.header, undefined, 2) ?? '');
  write('token-claims', JSON.stringify(parts?.claims, undefined, 2) ?? '');
}

/** Sets the text only if it differs, so that the user's selection in it is not lost. */
function write(id: string, text: string): void {
  const element = byId(id, HTMLElement);
  if (element.textContent !== text) element.textContent = text;
}
