import { CHANNEL_COMMANDS, CHANNEL_EVENTS } from './channel-frames.ts';
import { type Frame, number, POSITION, ROOM, type Schema, text, USER } from './frame.ts';
import { MESSAGE_COMMANDS } from './message-commands.ts';
import { MESSAGE_EVENTS } from './message-frames.ts';
import { pascal, titled } from './titles.ts';

/** One dialect. `answers` maps each command to the events that may answer it. */
interface Dialect {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly commands: Readonly<Record<string, Frame>>;
  readonly events: Readonly<Record<string, Frame>>;
  readonly answers: Readonly<Record<string, readonly string[]>>;
}

const DIALECTS: readonly Dialect[] = [
  {
    name: 'message',
    title: 'The message dialect',
    description:
      'A client selects this dialect by the subprotocol `crosspod.message.v1`, by `?dialect=message`, or by a room in ' +
      'the address, as in `/ws/{room}`.',
    commands: MESSAGE_COMMANDS,
    events: MESSAGE_EVENTS,
    answers: {
      chat: ['ack', 'error'],
      join: ['joined', 'error'],
      leave: ['left', 'error'],
      presence: ['ack', 'error'],
      ping: ['pong'],
      auth: ['authenticated', 'error'],
      call: ['result', 'error'],
    },
  },
  {
    name: 'channel',
    title: 'The channel dialect',
    description:
      'A client selects this dialect by the subprotocol `crosspod.channel.v1` or by `?dialect=channel`. Otherwise a ' +
      'field `channel` in the first frame selects it, and the server answers only frames with a `ref`.',
    commands: CHANNEL_COMMANDS,
    events: CHANNEL_EVENTS,
    answers: {
      subscribe: ['subscribed', 'presenceSync', 'acknowledged', 'refused'],
      unsubscribe: ['unsubscribed', 'refused'],
      broadcast: ['acknowledged', 'refused'],
      presenceStatement: ['acknowledged', 'refused'],
      presenceLeave: ['acknowledged', 'refused'],
      authenticate: ['tokenTaken', 'refused'],
      ask: ['answered', 'refused'],
    },
  },
];

/** The WebSocket frames as an AsyncAPI 3.0 document, from the server's side: it receives what clients send. */
export function asyncapi(version: string): Schema {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Crosspod',
      version,
      description:
        'Crosspod offers rooms, broadcast, presence, history and recovery over WebSockets. Each frame is text and holds ' +
        'one JSON object. docs/protocol.md explains the frames.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      pod: {
        host: '{host}',
        protocol: 'ws',
        description: 'Clients may connect to any pod. Use `wss` behind an ingress that terminates TLS.',
        variables: {
          host: { default: 'localhost:8080', description: 'The host and port that clients connect to.' },
        },
      },
    },
    channels: Object.fromEntries(DIALECTS.map((dialect) => [dialect.name, channelOf(dialect)])),
    operations: Object.fromEntries(DIALECTS.flatMap(operationsOf)),
    components: {
      messages: Object.fromEntries(DIALECTS.flatMap(messagesOf)),
      schemas: Object.fromEntries(DIALECTS.flatMap(schemasOf)),
    },
  };
}

const QUERY = {
  type: 'object',
  properties: {
    room: ROOM,
    last_id: POSITION,
    history: number('How many of the last messages of `room` to replay.'),
    dialect: { enum: ['message', 'channel'] },
    user_id: {
      ...USER,
      description: 'The user id of the client. It counts only while authentication is off.',
    },
    token: text('A JSON Web Token, if the client cannot send a header.'),
  },
};

function channelOf({ name, title, description, commands, events }: Dialect): Schema {
  const frames = Object.keys({ ...commands, ...events });
  return {
    address: '/ws',
    title,
    description,
    servers: [{ $ref: '#/servers/pod' }],
    messages: Object.fromEntries(
      frames.map((key) => [key, { $ref: `#/components/messages/${name}.${key}` }]),
    ),
    bindings: {
      ws: { method: 'GET', query: titled(QUERY, `${pascal(name)}Query`), bindingVersion: '0.1.0' },
    },
  };
}

function operationsOf({ name, commands, events, answers }: Dialect): [string, Schema][] {
  const channel = { $ref: `#/channels/${name}` };
  const refs = (keys: readonly string[]): Schema[] =>
    keys.map((key) => ({ $ref: `#/channels/${name}/messages/${key}` }));
  const received = Object.entries(commands).map(([key, { summary }]): [string, Schema] => {
    const reply = { channel, messages: refs(answers[key] ?? []) };
    return [`${name}.${key}`, { action: 'receive', summary, channel, messages: refs([key]), reply }];
  });
  const summary = 'Sends answers and unsolicited events to the client.';
  const sent = { action: 'send', summary, channel, messages: refs(Object.keys(events)) };
  return [...received, [`${name}.events`, sent]];
}

function messagesOf({ name, commands, events }: Dialect): [string, Schema][] {
  return Object.entries({ ...commands, ...events }).map(([key, { summary, examples }]) => {
    const payload = { $ref: `#/components/schemas/${typeName(name, key)}` };
    const payloads = examples.map((example) => ({ payload: example }));
    return [`${name}.${key}`, { name: key, summary, payload, examples: payloads }];
  });
}

function schemasOf({ name, commands, events }: Dialect): [string, Schema][] {
  return Object.entries({ ...commands, ...events }).map(([key, { summary, schema }]) => {
    const title = typeName(name, key);
    return [title, titled({ ...schema, description: summary }, title)];
  });
}

/** The dialects have different frames with the same name. */
function typeName(dialect: string, frame: string): string {
  return pascal(dialect) + pascal(frame);
}
