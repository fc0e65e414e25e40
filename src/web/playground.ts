import { targetOf } from './address.ts';
import type { Standing } from './bench.ts';
import { CALL_NAMES } from './client-calls.ts';
import { ClientLine } from './client-line.ts';
import { button, byId } from './dom.ts';
import { FrameLine } from './frame-line.ts';
import { buildFrame, fieldsOf, frameTypes, type DialectName, type FrameFields } from './frames.ts';
import { HttpForms } from './http-form.ts';
import { record, type Way } from './record.ts';
import { protocolWithoutToken } from './secrets.ts';
import { showToken } from './token-view.ts';

const connectionForm = byId('connection', HTMLFormElement);
const framesForm = byId('frames', HTMLFormElement);
const freeForm = byId('free', HTMLFormElement);
const frameBox = byId('frame', HTMLTextAreaElement);
const tokenField = byId('token-field', HTMLInputElement);
const list = byId('record', HTMLElement);
const state = byId('state', HTMLElement);

/** How the playground speaks: by itself in one of the dialects, or through the client. */
type Mode = DialectName | 'client';

let line: FrameLine | ClientLine | undefined;
let standing: Standing = 'idle';

function log(way: Way, text: string): void {
  record(list, way, text);
}

function show(now: Standing, words: string): void {
  standing = now;
  state.dataset['state'] = now;
  state.textContent = words;
  byId('connect', HTMLButtonElement).disabled = now !== 'idle';
  byId('disconnect', HTMLButtonElement).disabled = now === 'idle';
  enableButtons();
}

/** The client takes calls at any time; it keeps what cannot go out at once. */
function enableButtons(): void {
  const can =
    mode() === 'client'
      ? line instanceof ClientLine && standing !== 'idle'
      : line instanceof FrameLine && standing === 'connected';
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

/** What is for some ways of speaking alone says so in `data-for`; in the others it is not in the data of its form. */
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
    if (fields !== undefined && line instanceof ClientLine) line.call(name, fields);
  };
  const drop = button('drop the line', '', () => {
    if (line instanceof ClientLine) line.dropLine();
  });
  return [...CALL_NAMES.map((name) => button(name, '', () => call(name))), drop];
}

/** What the form holds; undefined, and the reason is shown, where its data is not JSON. */
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
  if (line instanceof FrameLine) line.send(frameBox.value);
}

function connect(): void {
  const problem = byId('connection-problem', HTMLElement);
  try {
    line = open();
    problem.textContent = '';
    show('connecting', 'connecting…');
  } catch (error) {
    problem.textContent = error instanceof Error ? error.message : String(error);
  }
}

function open(): FrameLine | ClientLine {
  const target = targetOf(connectionForm);
  if (mode() !== 'client') return new FrameLine(target, { log, show });
  // Asked for each time: whoever puts another token into the field gives it to the next connection.
  const token = (): string => tokenField.value.trim();
  return new ClientLine(target.url, token() === '' ? undefined : token, { log, show });
}

connectionForm.querySelector<HTMLInputElement>('[name=server]')?.setAttribute('value', location.origin);
connectionForm.addEventListener('input', showAddress);
connectionForm.addEventListener('change', showMode);
connectionForm.addEventListener('submit', (event) => {
  event.preventDefault();
  if (standing === 'idle') connect();
});
framesForm.addEventListener('submit', (event) => event.preventDefault());
freeForm.addEventListener('submit', (event) => {
  event.preventDefault();
  sendFrame();
});
byId('disconnect', HTMLButtonElement).addEventListener('click', () => line?.close());
byId('clear', HTMLButtonElement).addEventListener('click', () => list.replaceChildren());
const httpForms = new HttpForms(log);
httpForms.listen();
showToken(tokenField);
showMode();
