import { isRoomName } from '../protocol/names.ts';
import { byId } from './dom.ts';

/** Calls `add` with each room name that the user enters. An invalid name gets an explanation below the form. */
export function onRoomAdded(add: (name: string) => void): void {
  const input = byId('room-name', HTMLInputElement);
  const problem = byId('room-problem', HTMLElement);
  byId('room-form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    const name = input.value.trim();
    const valid = isRoomName(name);
    problem.textContent = valid
      ? ''
      : 'A room name has letters, digits and _ - . : @, and begins with a letter or digit.';
    input.setAttribute('aria-invalid', String(!valid));
    if (!valid) return input.focus();
    input.value = '';
    add(name);
  });
}
