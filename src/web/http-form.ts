import { type Answer, postJson } from './http-call.ts';
import { GUEST_PATH, guestOf } from './guest-login.ts';
import { byId } from './dom.ts';
import type { EntryKind } from './record.ts';
import { jsonWithoutToken } from './secrets.ts';

type Log = (kind: EntryKind, text: string) => void;

const EVENT_PATH = '/api/event';
const GUEST_NAME = 'guest';

/** The playground's forms that use the HTTP API, on the server that the connection form names. */
export class HttpForms {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  listen(): void {
    byId('guest', HTMLButtonElement).addEventListener('click', () => void this.#getGuestToken());
    byId('events', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#postEvent();
    });
  }

  async #getGuestToken(): Promise<void> {
    const problem = byId('connection-problem', HTMLElement);
    const name = connectionField('user') || GUEST_NAME;
    try {
      const answer = await this.#post(GUEST_PATH, JSON.stringify({ username: name }));
      if (answer === undefined) return;
      const { token } = guestOf(name, answer);
      if (token === null) this.#log('connection', 'authentication is off on this server: no token is needed');
      putToken(token ?? '');
      problem.textContent = '';
    } catch (error) {
      problem.textContent = wordsOf(error);
    }
  }

  async #postEvent(): Promise<void> {
    const problem = byId('event-problem', HTMLElement);
    try {
      const json = eventOf(byId('events', HTMLFormElement));
      problem.textContent = '';
      await this.#post(EVENT_PATH, json, credentials());
    } catch (error) {
      problem.textContent = error instanceof SyntaxError ? 'The payload is not JSON.' : wordsOf(error);
    }
  }

  /** Returns undefined, and logs it, if no answer comes. Throws a TypeError if the server is not a URL. */
  async #post(path: string, json: string, headers: Record<string, string> = {}): Promise<Answer | undefined> {
    const url = new URL(path, connectionField('server'));
    url.protocol = url.protocol.replace('ws', 'http');
    const shown = Object.keys(headers).map((name) => `\n${name}: …`);
    this.#log('request', `POST ${url.href}${shown.join('')}\n${json}`);
    try {
      const answer = await postJson(url, json, headers);
      this.#log('answer', `${answer.status} ${jsonWithoutToken(answer.body)}`);
      return answer;
    } catch (error) {
      this.#log('connection', `no answer, or the server does not let this page read it: ${wordsOf(error)}`);
      return undefined;
    }
  }
}

/** Reads the form. Throws a SyntaxError if the payload is not JSON. */
function eventOf(form: HTMLFormElement): string {
  const fields = new FormData(form);
  const payload = text(fields, 'payload');
  return JSON.stringify({
    channel: text(fields, 'channel'),
    event: text(fields, 'eventName') || undefined,
    payload: payload === '' ? undefined : (JSON.parse(payload) as unknown),
  });
}

/** The header with the API key, or else with the token of the connection form. */
function credentials(): Record<string, string> {
  const key = text(new FormData(byId('events', HTMLFormElement)), 'apiKey');
  const token = connectionField('token');
  if (key !== '') return { 'X-API-Key': key };
  return token === '' ? {} : { Authorization: `Bearer ${token}` };
}

function connectionField(name: string): string {
  return text(new FormData(byId('connection', HTMLFormElement)), name);
}

function text(fields: FormData, name: string): string {
  const value = fields.get(name);
  return typeof value === 'string' ? value.trim() : '';
}

function putToken(token: string): void {
  const input = byId('token-field', HTMLInputElement);
  input.value = token;
  input.dispatchEvent(new Event('input', { bubbles: true }));
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
