import { isUserId } from '../protocol/names.ts';
import { byId } from './dom.ts';
import { recall, remember } from './memory.ts';

/** The name of the person: what the browser remembers, else what they enter on the welcome card. */
export async function askName(): Promise<string> {
  const known = recall('name');
  return known !== undefined && isUserId(known) ? known : askOnCard();
}

function askOnCard(): Promise<string> {
  const welcome = byId('welcome', HTMLElement);
  const input = byId('name', HTMLInputElement);
  const problem = byId('name-problem', HTMLElement);
  welcome.hidden = false;
  input.focus();
  return new Promise((resolve) => {
    byId('name-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      const name = input.value.trim();
      if (isUserId(name)) {
        remember('name', name);
        welcome.hidden = true;
        return resolve(name);
      }
      problem.textContent = name === '' ? 'Enter a name.' : 'Choose another name; this one is not possible.';
      input.setAttribute('aria-invalid', 'true');
      input.focus();
    });
  });
}
