import { fileURLToPath } from 'node:url';
import type { Way } from './load/commands.ts';
import { TOKEN_SECRET } from './load/token.ts';
import { startFlags } from './node-flags.ts';

export interface Contender {
  /** The server's main file. */
  readonly script: string;
  /** How its clients come; more than one where a room has clients of several kinds. */
  readonly ways: readonly Way[];
  readonly env: Readonly<Record<string, string>>;
  readonly nodeFlags: readonly string[];
  /** Whether readiness is asked at a port of its own. */
  readonly hasOpsPort?: boolean;
  /** Whether it sends traces; somebody takes them then. */
  readonly traced?: boolean;
}

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const plain = (script: string): Contender => ({
  script: file(script),
  ways: [{ dialect: 'plain', path: '/{room}' }],
  env: {},
  nodeFlags: ['--disable-warning=ExperimentalWarning'],
});

const crosspod: Contender = {
  script: file('../../src/main.ts'),
  hasOpsPort: true,
  ways: [{ dialect: 'crosspod', path: '/ws/{room}?user_id=u{n}' }],
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
    ways: [{ dialect: 'socketio', path: '/socket.io/?EIO=4&transport=websocket&room={room}' }],
  },
  crosspod,
  /** Half of a room speaks the other dialect, and does not publish. */
  'crosspod-mixed': {
    ...crosspod,
    ways: [...crosspod.ways, { dialect: 'channel', path: '/ws?user_id=u{n}&dialect=channel' }],
  },
  /** With a token for each connection. */
  'crosspod-auth': {
    ...crosspod,
    ways: [{ dialect: 'crosspod', path: '/ws/{room}?token={token}' }],
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
