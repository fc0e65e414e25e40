import { CHANNEL_COMMANDS, CHANNEL_EVENTS } from './channel-frames.ts';
import { type Frame, number, POSITION, ROOM, type Schema, text, USER } from './frame.ts';
import { MESSAGE_COMMANDS, MESSAGE_EVENTS } from './message-frames.ts';
import { pascal, titled } from './titles.ts';

/** One dialect: its frames by name, and which of the server's answer which of a client's. */
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
      'Named by the subprotocol `crosspod.message.v1`, by `?dialect=message`, or by a room in the address; also ' +
      'at `/ws/{room}`.',
    commands: MESSAGE_COMMANDS,
    events: MESSAGE_EVENTS,
    answers: {
      chat: ['ack', 'error'],
      join: ['joined', 'error'],
      leave: ['left', 'error'],
      presence: ['ack', 'error'],
      ping: ['pong'],
      auth: ['authenticated', 'error'],
    },
  },
  {
    name: 'channel',
    title: 'The channel dialect',
    description:
      'Named by the subprotocol `crosspod.channel.v1` or by `?dialect=channel`; else the first frame gives it ' +
      'away by its field `channel`, and then only frames with a `ref` are answered.',
    commands: CHANNEL_COMMANDS,
    events: CHANNEL_EVENTS,
    answers: {
      subscribe: ['subscribed', 'presenceSync', 'acknowledged', 'refused'],
      unsubscribe: ['unsubscribed', 'refused'],
      broadcast: ['acknowledged', 'refused'],
      presenceStatement: ['acknowledged', 'refused'],
      presenceLeave: ['acknowledged', 'refused'],
      authenticate: ['tokenTaken', 'refused'],
    },
  },
];

/** What is spoken over the WebSockets, as AsyncAPI 3.0 seen from the server: it receives what clients send. */
export function asyncapi(version: string): Schema {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Crosspod',
      version,
      description:
        'Rooms, broadcast, presence, history and recovery over WebSockets. Frames are text, one JSON object each. ' +
        'docs/protocol.md says in words what the frames mean.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      pod: {
        host: '{host}',
        protocol: 'ws',
        description: 'Any pod; `wss` behind an ingress that speaks TLS.',
        variables: { host: { default: 'localhost:8080', description: 'Where clients connect.' } },
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
    history: number('With a room: so many of its last messages.'),
    dialect: { enum: ['message', 'channel'] },
    user_id: { ...USER, description: 'Who connects, while authentication is off.' },
    token: text('A JSON Web Token, where no header can carry it.'),
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
  const summary = 'What the server says unasked, and its answers.';
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

/** Both dialects have some frames of the same name, which are not alike. */
function typeName(dialect: string, frame: string): string {
  return pascal(dialect) + pascal(frame);
}
