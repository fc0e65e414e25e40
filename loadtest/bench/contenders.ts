import { fileURLToPath } from 'node:url';
import type { DialectName } from './load/dialect.ts';
import { TOKEN_SECRET } from './load/token.ts';
import { startFlags } from './node-flags.ts';

export interface Contender {
  /** The server's main file. */
  readonly script: string;
  readonly dialect: DialectName;
  /** Path and query of the upgrade; `{room}`, `{n}` and `{token}` are filled in for each connection. */
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
  readonly nodeFlags: readonly string[];
  /** Whether it sends traces; somebody takes them then. */
  readonly traced?: boolean;
}

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const plain = (script: string): Contender => ({
  script: file(script),
  dialect: 'plain',
  path: '/',
  env: {},
  nodeFlags: ['--disable-warning=ExperimentalWarning'],
});

const crosspod: Contender = {
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
};

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
  crosspod,
  /** With a token for each connection. */
  'crosspod-auth': {
    ...crosspod,
    path: '/ws/{room}?token={token}',
    env: { ...crosspod.env, JWT_SECRET: TOKEN_SECRET },
  },
  /** With one publication in a hundred traced. */
  'crosspod-traced': {
    ...crosspod,
    traced: true,
    env: { ...crosspod.env, OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.01' },
  },
} as const satisfies Record<string, Contender>;

export type ContenderName = keyof typeof CONTENDERS;

export const CONTENDER_NAMES = Object.keys(CONTENDERS) as readonly ContenderName[];

/** What a run compares unless it is told otherwise: not what an option of Crosspod costs. */
export const BY_DEFAULT = CONTENDER_NAMES.filter((name) => !name.startsWith('crosspod-'));
