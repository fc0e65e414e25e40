import { TestPod } from '../support/test-pod.ts';
import type { ApiOptions } from '../../src/http/api-env.ts';
import type { Authenticator, RefusedToken, TokenFault } from '../../src/core/ports/authenticator.ts';
import { createApi } from '../../src/http/api.ts';
import type { Hooks } from '../../src/core/ports/hooks.ts';
import type { PersonalRoom } from '../../src/core/base/personal-room.ts';
import type { Limits } from '../../src/core/base/limits.ts';
import type { RoomSettings } from '../../src/rules/uniform.ts';
import { Origins } from '../../src/core/base/origins.ts';
import { readPermissions } from '../../src/core/base/permissions.ts';
import type { Permissions } from '../../src/core/ports/principal.ts';

type Headers = Readonly<Record<string, string>>;

export interface Answer {
  readonly status: number;
  readonly headers: globalThis.Headers;
  readonly text: string;
  /** The parsed body; undefined where it is no JSON. */
  readonly body: unknown;
}

export interface Ask {
  readonly headers?: Headers;
  /** A string goes out as it is, anything else as JSON. */
  readonly body?: unknown;
  /** The address of the peer. */
  readonly from?: string;
}

export interface World {
  readonly test: TestPod;
  readonly get: (path: string, ask?: Ask) => Promise<Answer>;
  readonly post: (path: string, body?: unknown, headers?: Headers) => Promise<Answer>;
  readonly ask: (method: string, path: string, ask?: Ask) => Promise<Answer>;
}

export interface WorldOptions extends Partial<Omit<ApiOptions, 'pod'>> {
  readonly limits?: Partial<Limits & RoomSettings>;
  readonly allowedOrigins?: readonly string[];
  readonly authenticator?: Authenticator;
  readonly hooks?: Hooks;
  readonly personalRoom?: PersonalRoom;
}

/** The API over a pod with the memory adapters, in this process. It is open unless the options say otherwise. */
export function world({
  limits,
  allowedOrigins = ['*'],
  authenticator,
  hooks,
  personalRoom,
  ...more
}: WorldOptions = {}): World {
  const test = new TestPod(limits, hooks);
  Object.assign(test.pod, { personalRoom });
  const api = createApi({
    pod: { ...test.pod, authenticator },
    origins: new Origins(allowedOrigins),
    apiKeys: [],
    clientHttp: true,
    maxBodyBytes: 65_536,
    requestsPerSecond: 1_000_000,
    trustProxy: false,
    ...more,
  });
  const ask: World['ask'] = async (method, path, { headers = {}, body, from } = {}) => {
    const json = body === undefined ? {} : { 'Content-Type': 'application/json' };
    const init: RequestInit = { method, headers: { ...json, ...headers } };
    if (body !== undefined) init.body = typeof body === 'string' ? body : JSON.stringify(body);
    const incoming = { socket: { remoteAddress: from } };
    return read(await api.request(path, init, { incoming }));
  };
  return {
    test,
    ask,
    get: (path, options) => ask('GET', path, options),
    post: (path, body = {}, headers = {}) => ask('POST', path, { body, headers }),
  };
}

export async function read(response: Response): Promise<Answer> {
  const text = await response.text();
  const { status, headers } = response;
  return { status, headers, text, body: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The value at a path of field names and indexes of an answer. */
export function field(answer: Answer, ...path: (string | number)[]): unknown {
  let value: unknown = answer.body;
  for (const name of path) value = (value as Record<string | number, unknown> | undefined)?.[name];
  return value;
}

/** Whatever is published has reached the sockets. */
export async function delivered(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => void setImmediate(resolve));
}

const TOKENS: Readonly<Record<string, readonly string[] | undefined>> = {
  'api-token': ['api:*'],
  'other-api-token': ['*:*'],
  'plain-token': undefined,
  'rooms-token': ['api:lobby', 'publish:*'],
};

/** Knows the tokens above by name, each of a user of the same name. */
export const authenticator: Authenticator = {
  authenticate(token) {
    if (token === 'expired') return Promise.resolve(refused('token_expired'));
    if (token === 'unchecked') return Promise.resolve(refused('unavailable'));
    if (!Object.hasOwn(TOKENS, token)) return Promise.resolve(refused('invalid_token'));
    return Promise.resolve({ userId: token, permissions: permissions(TOKENS[token]) });
  },
};

function refused(fault: TokenFault): RefusedToken {
  return { fault, reason: fault };
}

function permissions(claim: readonly string[] | undefined): Permissions {
  const read = readPermissions(claim);
  if (read === undefined) throw new Error('a claim of the test is wrong');
  return read;
}

export function bearer(token: string): Headers {
  return { Authorization: `Bearer ${token}` };
}
