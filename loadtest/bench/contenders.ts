import { fileURLToPath } from 'node:url';
import { centrifugo, centrifugoPresence, isCentrifugoInstalled } from './centrifugo.ts';
import type { Way } from './load/commands.ts';
import { TOKEN_SECRET } from './load/token.ts';
import { startFlags } from './node-flags.ts';

export interface Contender {
  /** The server's main file for Node, or a program; empty if that is not installed. */
  readonly script: string;
  readonly isProgram?: boolean;
  /** How its clients come; more than one where a room has clients of several kinds. */
  readonly ways: readonly Way[];
  readonly env: Readonly<Record<string, string>>;
  readonly nodeFlags: readonly string[];
  /** Its own settings for those that every server gets: HOST, PORT, REDIS_URL. */
  readonly translate?: (env: Readonly<Record<string, string>>) => Readonly<Record<string, string>>;
  /** Path of the readiness probe; `/readyz` unless it says. */
  readonly readyPath?: string;
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
  centrifugo,
  'centrifugo-presence': centrifugoPresence,
  crosspod,
  /** Only the channel dialect, without presence: nobody is announced, nobody receives a list. */
  'crosspod-channel': {
    ...crosspod,
    ways: [{ dialect: 'channel', path: '/ws?user_id=u{n}&dialect=channel' }],
  },
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

/** What a run compares unless it is told otherwise: no options of a server, and only what is installed. */
export const BY_DEFAULT = CONTENDER_NAMES.filter(
  (name) => name === familyOf(name) && (name !== 'centrifugo' || isCentrifugoInstalled),
);

/** The contender of which this one is a variant: `crosspod-auth` is one of `crosspod`. */
function familyOf(name: ContenderName): string {
  return /^(crosspod|centrifugo)-/.exec(name)?.[1] ?? name;
}

/** Those of `names` that were asked for, themselves or the contender of which they are variants. */
export function askedOf(
  names: readonly ContenderName[],
  asked: readonly ContenderName[],
): Map<string, Contender> {
  const wanted = new Set<string>(asked);
  const chosen = names.filter((name) => wanted.has(name) || wanted.has(familyOf(name)));
  return new Map(
    chosen
      .map((name): [string, Contender] => [name, CONTENDERS[name]])
      .filter(([, { script }]) => script !== ''),
  );
}
