import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Contender } from './contenders.ts';

type Env = Readonly<Record<string, string>>;

/** The path of Centrifugo's program; empty if the PATH lacks it. */
function findProgram(): string {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const file = join(folder, 'centrifugo');
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // The next folder may have it.
    }
  }
  return '';
}

const PROGRAM = findProgram();

export const isCentrifugoInstalled = PROGRAM !== '';

/** As Go wrote it into the program: one that `go install` built calls itself v0.0.0. */
export function centrifugoVersion(): string {
  if (!isCentrifugoInstalled) return 'none';
  const text = readFileSync(PROGRAM, 'latin1');
  return /\tgithub\.com\/centrifugal\/centrifugo\/v\d+\tv([\d.]+)/.exec(text)?.[1] ?? 'unknown';
}

const CHANNEL = 'CENTRIFUGO_CHANNEL_WITHOUT_NAMESPACE';

/** A history of the size and lifetime that Crosspod has by default, with recovery. */
const HISTORY: Env = {
  CENTRIFUGO_CLIENT_INSECURE: 'true',
  CENTRIFUGO_HEALTH_ENABLED: 'true',
  CENTRIFUGO_LOG_LEVEL: 'error',
  [`${CHANNEL}_HISTORY_SIZE`]: '100',
  [`${CHANNEL}_HISTORY_TTL`]: '300s',
  [`${CHANNEL}_FORCE_RECOVERY`]: 'true',
};

const PRESENCE: Env = {
  [`${CHANNEL}_PRESENCE`]: 'true',
  [`${CHANNEL}_JOIN_LEAVE`]: 'true',
  [`${CHANNEL}_FORCE_PUSH_JOIN_LEAVE`]: 'true',
};

/** Its settings for the address and the engine that every server gets. */
function translate({ HOST = '', PORT = '', REDIS_URL, ...rest }: Env): Env {
  const address = { CENTRIFUGO_HTTP_SERVER_ADDRESS: HOST, CENTRIFUGO_HTTP_SERVER_PORT: PORT };
  const engine =
    REDIS_URL === undefined
      ? {}
      : { CENTRIFUGO_ENGINE_TYPE: 'redis', CENTRIFUGO_ENGINE_REDIS_ADDRESS: REDIS_URL };
  return { ...rest, ...address, ...engine };
}

export const centrifugo: Contender = {
  script: PROGRAM,
  isProgram: true,
  readyPath: '/health',
  ways: [{ dialect: 'centrifugo', path: '/connection/websocket' }],
  env: HISTORY,
  translate,
  nodeFlags: [],
};

/** Each client receives the list of the clients present, and is told who joins and leaves. */
export const centrifugoPresence: Contender = {
  ...centrifugo,
  ways: [{ dialect: 'centrifugo-presence', path: '/connection/websocket' }],
  env: { ...HISTORY, ...PRESENCE },
};
