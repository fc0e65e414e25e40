/** How a contender's clients talk: what is sent to join and to publish, when a client has joined, what must be answered. */
export interface Dialect {
  /** What is sent first, where the handshake alone does not join the room. */
  readonly join?: (room: string) => string;
  /** The text that publishes this JSON. */
  publish(data: string, room: string): string;
  /** True for the text after which a client receives what is published; `undefined`: from the handshake on. */
  readonly joined?: (text: string) => boolean;
  /** The answer a text wants, if any. */
  readonly answer?: (text: string) => string | undefined;
}

const message = (data: string): string => `{"type":"chat","data":${data}}`;

export const DIALECTS = {
  plain: { publish: message },
  crosspod: { publish: message, joined: (text) => text.includes('"event":"joined"') },
  channel: {
    join: (channel) => `{"type":"subscribe","channel":"${channel}","ref":"join"}`,
    publish: (data, channel) => `{"type":"broadcast","channel":"${channel}","payload":${data}}`,
    joined: (text) => text.includes('"ref":"join"'),
  },
  socketio: {
    publish: (data) => `42["chat",${data}]`,
    joined: (text) => text.startsWith('40'),
    answer: socketioAnswer,
  },
} as const satisfies Record<string, Dialect>;

export type DialectName = keyof typeof DIALECTS;

/** Engine.IO 4: `0` opens, after which Socket.IO wants `40`; `2` is a ping, `3` its pong. */
function socketioAnswer(text: string): string | undefined {
  if (text.startsWith('0')) return '40';
  return text === '2' ? '3' : undefined;
}
