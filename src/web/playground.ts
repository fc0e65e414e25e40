import { targetOf } from './address.ts';
import { closeWords } from './close-words.ts';
import { button, byId } from './dom.ts';
import { buildFrame, fieldsOf, frameTypes, type DialectName } from './frames.ts';
import { HttpForms } from './http-form.ts';
import { record, type Way } from './record.ts';
import { showToken } from './token-view.ts';

const connectionForm = byId('connection', HTMLFormElement);
const framesForm = byId('frames', HTMLFormElement);
const freeForm = byId('free', HTMLFormElement);
const frameBox = byId('frame', HTMLTextAreaElement);
const list = byId('record', HTMLElement);
const state = byId('state', HTMLElement);

let socket: WebSocket | undefined;

function log(way: Way, text: string): void {
  record(list, way, text);
}

function showState(name: 'connecting' | 'connected' | 'idle', words: string): void {
  state.dataset['state'] = name;
  state.textContent = words;
  byId('connect', HTMLButtonElement).disabled = name !== 'idle';
  byId('disconnect', HTMLButtonElement).disabled = name === 'idle';
  for (const each of document.querySelectorAll<HTMLButtonElement>('#types button, #send-frame')) {
    each.disabled = name !== 'connected';
  }
}

function dialect(): DialectName {
  return new FormData(connectionForm).get('dialect') === 'channel' ? 'channel' : 'message';
}

function showAddress(): void {
  const address = byId('address', HTMLElement);
  try {
    const { url, protocols } = targetOf(connectionForm);
    address.textContent = [url, ...protocols.map(hideToken)].join('  +  ');
  } catch {
    address.textContent = 'the server is not a URL';
  }
}

/** A token is shown by nobody's choice but that of who puts it into the address. */
function hideToken(protocol: string): string {
  return protocol.startsWith('bearer.') ? 'bearer.…' : protocol;
}

function showDialect(): void {
  const name = dialect();
  byId('place', HTMLElement).textContent = name === 'channel' ? 'Channel' : 'Room';
  for (const field of document.querySelectorAll<HTMLElement>('.message-only, .channel-only')) {
    field.hidden = !field.classList.contains(`${name}-only`);
  }
  const buttons = frameTypes(name).map((type) => button(type, '', () => sendType(type)));
  for (const each of buttons) each.disabled = state.dataset['state'] !== 'connected';
  byId('types', HTMLElement).replaceChildren(...buttons);
}

function sendType(type: string): void {
  const problem = byId('frame-problem', HTMLElement);
  try {
    frameBox.value = buildFrame(dialect(), type, fieldsOf(framesForm));
    problem.textContent = '';
    send(frameBox.value);
  } catch {
    problem.textContent = 'The data is not JSON.';
  }
}

function send(frame: string): void {
  if (socket?.readyState !== WebSocket.OPEN) return;
  socket.send(frame);
  log('sent', frame);
}

function connect(): void {
  const problem = byId('connection-problem', HTMLElement);
  try {
    const { url, protocols } = targetOf(connectionForm);
    open(new WebSocket(url, [...protocols]));
    problem.textContent = '';
    log('line', `connecting to ${withoutToken(url)}`);
    showState('connecting', 'connecting…');
  } catch (error) {
    problem.textContent = error instanceof Error ? error.message : String(error);
  }
}

function withoutToken(address: string): string {
  const url = new URL(address);
  if (url.searchParams.has('token')) url.searchParams.set('token', '…');
  return url.href;
}

function open(opened: WebSocket): void {
  socket = opened;
  opened.addEventListener('open', () => {
    log('line', opened.protocol === '' ? 'open, no subprotocol' : `open, ${opened.protocol}`);
    showState('connected', 'connected');
  });
  opened.addEventListener('message', ({ data }) => log('received', String(data)));
  opened.addEventListener('close', ({ code, reason }) => {
    log('line', closeWords(code, reason));
    showState('idle', `closed with ${code}`);
  });
}

connectionForm.querySelector<HTMLInputElement>('[name=server]')?.setAttribute('value', location.origin);
connectionForm.addEventListener('input', showAddress);
connectionForm.addEventListener('change', showDialect);
connectionForm.addEventListener('submit', (event) => {
  event.preventDefault();
  if (socket === undefined || socket.readyState === WebSocket.CLOSED) connect();
});
framesForm.addEventListener('submit', (event) => event.preventDefault());
freeForm.addEventListener('submit', (event) => {
  event.preventDefault();
  send(frameBox.value);
});
byId('disconnect', HTMLButtonElement).addEventListener('click', () => socket?.close(1000));
byId('clear', HTMLButtonElement).addEventListener('click', () => list.replaceChildren());
const httpForms = new HttpForms(log);
httpForms.listen();
showToken(byId('token-field', HTMLInputElement));
showAddress();
showDialect();
