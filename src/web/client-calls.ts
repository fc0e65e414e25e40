import type { Crosspod, Room, SendOptions, Status } from '../client/client.ts';
import { type FrameFields, metaOf } from './frames.ts';

/** A call of a client's method. */
export interface Call {
  /** The call as source text. */
  readonly words: string;
  /** Makes the call and returns its promise, if it has one. */
  readonly make: () => Promise<unknown> | void;
}

/** The objects whose methods are called. */
interface Callee {
  readonly client: Crosspod;
  readonly room: Room;
  /** Adds listeners to the room; to be called before the first join. */
  readonly listen: () => void;
}

type Prepare = (fields: FrameFields, callee: Callee) => Call;

function call<Args extends readonly unknown[]>(
  name: string,
  act: (...args: Args) => Promise<unknown> | void,
  ...args: Args
): Call {
  const given = args.filter((arg) => arg !== undefined).map((arg) => JSON.stringify(arg));
  return { words: `${name}(${given.join(', ')})`, make: () => act(...args) };
}

function sendOptions({ event, ephemeral }: FrameFields): SendOptions | undefined {
  if (event === undefined && ephemeral === undefined) return undefined;
  return { ...(event !== undefined && { event }), ...(ephemeral !== undefined && { ephemeral: true }) };
}

function of({ name }: Room, method: string): string {
  return `room(${JSON.stringify(name)}).${method}`;
}

const CALLS: Readonly<Record<string, Prepare>> = {
  join: ({ history }, { room, listen }) => {
    const act = (options?: { history: number }): Promise<unknown> => {
      listen();
      return room.join(options);
    };
    return call(of(room, 'join'), act, history === undefined ? undefined : { history });
  },
  leave: (_, { room }) => call(of(room, 'leave'), () => room.leave()),
  send: (fields, { room }) =>
    call(of(room, 'send'), (data, how) => room.send(data, how), dataOf(fields), sendOptions(fields)),
  setPresence: ({ status, data }, { room }) =>
    call(
      of(room, 'setPresence'),
      (as: Status, meta) => room.setPresence(as, meta),
      status === 'away' || status === 'offline' ? status : 'online',
      metaOf(data) as object | undefined,
    ),
  sendTo: (fields, { client }) =>
    call(
      'sendTo',
      (user, data, how) => client.sendTo(user, data, how),
      fields.to ?? '',
      dataOf(fields),
      sendOptions(fields),
    ),
  broadcast: (fields, { client }) =>
    call('broadcast', (data, how) => client.broadcast(data, how), dataOf(fields), sendOptions(fields)),
};

/** The data to publish; null if the field is empty. */
function dataOf({ data = null }: FrameFields): unknown {
  return data;
}

export const CALL_NAMES: readonly string[] = Object.keys(CALLS);

/** The call of the method `name` with the fields of the form. Throws if there is no such method. */
export function prepareCall(name: string, fields: FrameFields, callee: Callee): Call {
  const prepare = CALLS[name];
  if (prepare === undefined) throw new Error(`the client has no ${name}`);
  return prepare(fields, callee);
}
