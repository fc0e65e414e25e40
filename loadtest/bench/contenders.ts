import { fileURLToPath } from 'node:url';
import type { DialectName } from './load/dialect.ts';
import { startFlags } from './node-flags.ts';

export interface Contender {
  /** The server's main file. */
  readonly script: string;
  readonly dialect: DialectName;
  /** Path and query of the upgrade; `{room}` and `{n}` are filled in for each connection. */
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
  readonly nodeFlags: readonly string[];
}

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const plain = (script: string): Contender => ({
  script: file(script),
  dialect: 'plain',
  path: '/',
  env: {},
  nodeFlags: ['--disable-warning=ExperimentalWarning'],
});

/** What is compared. Crosspod runs with its defaults, except for the limits that the load itself would meet. */
export const CONTENDERS = {
  bare: plain('./servers/bare.ts'),
  'bare-turn': plain('./servers/bare-turn.ts'),
  ws: plain('./servers/ws.ts'),
  socketio: {
    ...plain('./servers/socketio.ts'),
    dialect: 'socketio',
    path: '/socket.io/?EIO=4&transport=websocket',
  },
  crosspod: {
    script: file('../../src/main.ts'),
    dialect: 'crosspod',
    path: '/ws/{room}?user_id=u{n}',
    env: {
      LOG_LEVEL: 'warn',
      MAX_CONNECTIONS: '20000',
      HANDSHAKES_PER_SECOND: '100000',
      MESSAGES_PER_SECOND: '0',
    },
    nodeFlags: startFlags(),
  },
} as const satisfies Record<string, Contender>;

export type ContenderName = keyof typeof CONTENDERS;

export const CONTENDER_NAMES = Object.keys(CONTENDERS) as readonly ContenderName[];
