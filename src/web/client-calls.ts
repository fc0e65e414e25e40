import type { Crosspod, Room, SendOptions, Status } from '../client/client.ts';
import { type FrameFields, metaOf } from './frames.ts';

/** A call of the client: how it is written, and itself. */
export interface Call {
  readonly words: string;
  /** What it answers, if anything. */
  readonly make: () => Promise<unknown> | void;
}

/** Whose methods are called. */
interface Callee {
  readonly client: Crosspod;
  readonly room: Room;
  /** Before the first join: begins to listen to the room. */
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

/** What is published; an empty field stands for null, since something must be. */
function dataOf({ data = null }: FrameFields): unknown {
  return data;
}

export const CALL_NAMES: readonly string[] = Object.keys(CALLS);

/** The call of this name with what the form holds; throws where there is none. */
export function prepareCall(name: string, fields: FrameFields, callee: Callee): Call {
  const prepare = CALLS[name];
  if (prepare === undefined) throw new Error(`the client has no ${name}`);
  return prepare(fields, callee);
}
