import type { Crosspod, State } from '../client/client.ts';
import { byId } from './dom.ts';

const WORDS: Record<State, string> = {
  connecting: 'connecting…',
  connected: 'connected',
  reconnecting: 'reconnecting…',
  closed: 'disconnected',
};

/** Says below the room's name how the connection is; one that is closed for good can be begun again by hand. */
export function showState(client: Crosspod): void {
  const line = byId('state', HTMLElement);
  const again = byId('again', HTMLButtonElement);
  const draw = (state: State, reason = ''): void => {
    line.dataset['state'] = state;
    line.textContent = reason === '' ? WORDS[state] : `${WORDS[state]}: ${reason}`;
    again.hidden = state !== 'closed';
  };
  draw(client.state);
  client.on('state', (state, closed) => draw(state, closed?.reason));
  again.addEventListener('click', () => location.reload());
}
