/** How a contender's clients talk: what is sent to join and to publish, when a client has joined, what must be answered. */
export interface Dialect {
  /** What is sent first, where the handshake alone does not join the room. */
  readonly join?: (room: string) => string;
  /** The text that publishes this JSON. */
  publish(data: string, room: string): string;
  /** True for the text after which a client receives what is published; `undefined`: from the handshake on. */
  readonly joined?: (text: string) => boolean;
  /** Whether one frame may hold several texts, one on each line. */
  readonly bundles?: boolean;
  /** How a client comes back to a room, to receive what it missed. */
  readonly resume?: {
    /** The position of the room in the answer to a join. */
    position(text: string): string | undefined;
    /** What the path of the handshake ends with. */
    readonly query?: (position: string) => string;
    /** The first text. */
    readonly first?: (room: string, position: string) => string;
  };
  /** The answer a text wants, if any. */
  readonly answer?: (text: string) => string | undefined;
}

const message = (data: string): string => `{"type":"chat","data":${data}}`;

export const DIALECTS = {
  plain: { publish: message },
  crosspod: {
    publish: message,
    joined: (text) => text.includes('"event":"joined"'),
    resume: {
      position: (text) => /"position":"([^"]+)"/.exec(text)?.[1],
      query: (position) => `&last_id=${position}`,
    },
  },
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
  centrifugo: {
    join: centrifugoJoin,
    publish: centrifugoPublish,
    bundles: true,
    joined: (text) => text.includes('"id":2,"subscribe"'),
    answer: centrifugoAnswer,
    resume: { position: centrifugoPosition, first: centrifugoResume },
  },
  /** The client also asks for the list of those present. */
  'centrifugo-presence': {
    join: (channel) => `${centrifugoJoin(channel)}\n{"id":3,"presence":{"channel":"${channel}"}}`,
    publish: centrifugoPublish,
    bundles: true,
    joined: (text) => text.includes('"id":3,"presence"'),
    answer: centrifugoAnswer,
  },
} as const satisfies Record<string, Dialect>;

export type DialectName = keyof typeof DIALECTS;

/** Engine.IO 4: `0` opens, after which Socket.IO wants `40`; `2` is a ping, `3` its pong. */
function socketioAnswer(text: string): string | undefined {
  if (text.startsWith('0')) return '40';
  return text === '2' ? '3' : undefined;
}

/** As its own client library does: both commands in the first frame. */
function centrifugoJoin(channel: string): string {
  return `{"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"${channel}"}}`;
}

function centrifugoPublish(data: string, channel: string): string {
  return `{"id":4,"publish":{"channel":"${channel}","data":${data}}}`;
}

/** The fields of a subscription that name a place in the history; an offset of 0 is left out. */
function centrifugoPosition(text: string): string | undefined {
  const [, epoch] = /"epoch":"([^"]+)"/.exec(text) ?? [];
  const [, offset = '0'] = /"offset":(\d+)/.exec(text) ?? [];
  return epoch === undefined ? undefined : `"epoch":"${epoch}","offset":${offset}`;
}

function centrifugoResume(channel: string, position: string): string {
  return `{"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"${channel}","recover":true,${position}}}`;
}

/** Its ping is an empty object, and so is the pong. */
function centrifugoAnswer(text: string): string | undefined {
  return text.split('\n').includes('{}') ? '{}' : undefined;
}
