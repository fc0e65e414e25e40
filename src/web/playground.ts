import { targetOf } from './address.ts';
import type { ConnectionStatus } from './connection-display.ts';
import { CALL_NAMES } from './client-calls.ts';
import { ClientConnection } from './client-connection.ts';
import { button, byId } from './dom.ts';
import { FrameConnection } from './frame-connection.ts';
import { buildFrame, fieldsOf, frameTypes, type DialectName, type FrameFields } from './frames.ts';
import { HttpForms } from './http-form.ts';
import { record, type EntryKind } from './record.ts';
import { ruleWords } from './room-rule.ts';
import { protocolWithoutToken } from './secrets.ts';
import { showToken } from './token-view.ts';

const connectionForm = byId('connection', HTMLFormElement);
const framesForm = byId('frames', HTMLFormElement);
const freeForm = byId('free', HTMLFormElement);
const frameBox = byId('frame', HTMLTextAreaElement);
const tokenField = byId('token-field', HTMLInputElement);
const list = byId('record', HTMLElement);
const state = byId('state', HTMLElement);

/** What the playground uses: plain frames of a dialect, or crosspod-client. */
type Mode = DialectName | 'client';

let connection: FrameConnection | ClientConnection | undefined;
let status: ConnectionStatus = 'idle';

function log(kind: EntryKind, text: string): void {
  record(list, kind, text);
  const rule = kind === 'received' ? ruleWords(text) : undefined;
  if (rule !== undefined) record(list, 'connection', rule);
}

function show(now: ConnectionStatus, words: string): void {
  status = now;
  state.dataset['state'] = now;
  state.textContent = words;
  byId('connect', HTMLButtonElement).disabled = now !== 'idle';
  byId('disconnect', HTMLButtonElement).disabled = now === 'idle';
  enableButtons();
}

/** Calls of the client work at any time, because it queues messages; frames need an open connection. */
function enableButtons(): void {
  const can =
    mode() === 'client'
      ? connection instanceof ClientConnection && status !== 'idle'
      : connection instanceof FrameConnection && status === 'connected';
  for (const each of document.querySelectorAll<HTMLButtonElement>('#types button, #send-frame')) {
    each.disabled = !can;
  }
}

function mode(): Mode {
  const chosen = new FormData(connectionForm).get('dialect');
  return chosen === 'channel' || chosen === 'client' ? chosen : 'message';
}

function showAddress(): void {
  const address = byId('address', HTMLElement);
  try {
    const { url, protocols } = targetOf(connectionForm);
    address.textContent = [url, ...protocols.map(protocolWithoutToken)].join('  +  ');
  } catch {
    address.textContent = 'the server is not a URL';
  }
}

/**
 * Shows the fields of the chosen mode. `data-for` names the modes of a field; in the others the field is disabled, so
 * that the form's data does not contain it.
 */
function showMode(): void {
  const now = mode();
  byId('place', HTMLElement).textContent = now === 'channel' ? 'Channel' : 'Room';
  byId('frames-title', HTMLElement).textContent = now === 'client' ? 'Calls' : 'Frames';
  for (const field of document.querySelectorAll<HTMLElement>('[data-for]')) {
    const isHidden = field.dataset['for']?.split(' ').includes(now) !== true;
    field.hidden = isHidden;
    for (const input of field.querySelectorAll<HTMLInputElement>('input, select, textarea')) {
      input.disabled = isHidden;
    }
  }
  const types = byId('types', HTMLElement);
  types.ariaLabel = now === 'client' ? 'Make this call' : 'Send a frame of this type';
  types.replaceChildren(...(now === 'client' ? callButtons() : frameButtons(now)));
  enableButtons();
  showAddress();
}

function frameButtons(dialect: DialectName): HTMLButtonElement[] {
  const sendType = (type: string): void => {
    const fields = readFields();
    if (fields === undefined) return;
    frameBox.value = buildFrame(dialect, type, fields);
    sendFrame();
  };
  return frameTypes(dialect).map((type) => button(type, '', () => sendType(type)));
}

function callButtons(): HTMLButtonElement[] {
  const call = (name: string): void => {
    const fields = readFields();
    if (fields !== undefined && connection instanceof ClientConnection) connection.call(name, fields);
  };
  const drop = button('drop the connection', '', () => {
    if (connection instanceof ClientConnection) connection.drop();
  });
  return [...CALL_NAMES.map((name) => button(name, '', () => call(name))), drop];
}

/** The fields of the form; if its data is not JSON, shows that and returns undefined. */
function readFields(): FrameFields | undefined {
  const problem = byId('frame-problem', HTMLElement);
  try {
    const fields = fieldsOf(framesForm);
    problem.textContent = '';
    return fields;
  } catch {
    problem.textContent = 'The data is not JSON.';
    return undefined;
  }
}

function sendFrame(): void {
  if (connection instanceof FrameConnection) connection.send(frameBox.value);
}

function connect(): void {
  const problem = byId('connection-problem', HTMLElement);
  try {
    connection = open();
    problem.textContent = '';
    show('connecting', 'connecting…');
  } catch (error) {
    problem.textContent = error instanceof Error ? error.message : String(error);
  }
}

function open(): FrameConnection | ClientConnection {
  const target = targetOf(connectionForm);
  if (mode() !== 'client') return new FrameConnection(target, { log, show });
  // Read at each connection, so that a new token in the field is used for the next one.
  const token = (): string => tokenField.value.trim();
  return new ClientConnection(target.url, token() === '' ? undefined : token, { log, show });
}

connectionForm.querySelector<HTMLInputElement>('[name=server]')?.setAttribute('value', location.origin);
connectionForm.addEventListener('input', showAddress);
connectionForm.addEventListener('change', showMode);
connectionForm.addEventListener('submit', (event) => {
  event.preventDefault();
  if (status === 'idle') connect();
});
framesForm.addEventListener('submit', (event) => event.preventDefault());
freeForm.addEventListener('submit', (event) => {
  event.preventDefault();
  sendFrame();
});
byId('disconnect', HTMLButtonElement).addEventListener('click', () => connection?.close());
byId('clear', HTMLButtonElement).addEventListener('click', () => list.replaceChildren());
const httpForms = new HttpForms(log);
httpForms.listen();
showToken(tokenField);
showMode();
