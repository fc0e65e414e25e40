import { type Guest, GuestProblem, logIn } from './guest-login.ts';
import { byId } from './dom.ts';
import { isUserId } from '../protocol/names.ts';
import { recall, remember } from './memory.ts';

const NO_NAME = new GuestProblem('Enter a name.', true);
const NO_SUCH_NAME = new GuestProblem('This name is not allowed. Choose another one.', true);

/** Logs the user in under the name that the browser remembers, or else under the name the user enters. */
export async function enter(): Promise<Guest> {
  const known = recall('name');
  if (known === undefined || !isUserId(known)) return askOnCard();
  try {
    return await logIn(known);
  } catch (error) {
    return askOnCard(known, error);
  }
}

function askOnCard(known = '', why?: unknown): Promise<Guest> {
  const welcome = byId('welcome', HTMLElement);
  const input = byId('name', HTMLInputElement);
  let busy = false;
  welcome.hidden = false;
  input.value = known;
  input.focus();
  if (why !== undefined) explain(why);
  return new Promise((resolve) => {
    const submit = async (): Promise<void> => {
      if (busy) return;
      busy = true;
      try {
        const guest = await logInAs(input.value.trim());
        welcome.hidden = true;
        resolve(guest);
      } catch (error) {
        explain(error);
        input.focus();
      } finally {
        busy = false;
      }
    };
    byId('name-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      void submit();
    });
  });
}

async function logInAs(name: string): Promise<Guest> {
  if (name === '') throw NO_NAME;
  if (!isUserId(name)) throw NO_SUCH_NAME;
  const guest = await logIn(name);
  remember('name', name);
  return guest;
}

function explain(error: unknown): void {
  const known = error instanceof GuestProblem;
  byId('name-problem', HTMLElement).textContent = known ? error.message : 'Something went wrong. Try again.';
  byId('name', HTMLInputElement).setAttribute('aria-invalid', String(known && error.isTheName));
}
