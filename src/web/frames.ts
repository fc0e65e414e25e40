export type DialectName = 'message' | 'channel';

/** The fields of the frame form that are not empty. */
export interface FrameFields {
  readonly place?: string;
  readonly event?: string;
  readonly data?: unknown;
  readonly to?: string;
  readonly status?: string;
  readonly ref?: string;
  readonly last_id?: string;
  readonly history?: number;
  /** Set if the box is checked. */
  readonly ephemeral?: string;
  readonly listen: readonly string[];
}

type Build = (fields: FrameFields) => object;

/** The data if it can be a member's `meta`, which is an object. */
export function metaOf(data: unknown): unknown {
  return typeof data === 'object' && data !== null && !Array.isArray(data) ? data : undefined;
}

const publish: Build = ({ place, to, event, data, ref }) => {
  return { ...(to === undefined ? { room: place } : { to }), event, data, ref };
};
const inRoom: Build = ({ place, ref }) => ({ room: place, ref });
const inChannel: Build = ({ place, ref }) => ({ channel: place, ref });
const channelPresence: Build = ({ place, data, ref }) => ({ channel: place, payload: metaOf(data), ref });

/** For each dialect, the frame types that a client may send, and the fields of each. */
const BUILDERS: Readonly<Record<DialectName, Readonly<Record<string, Build>>>> = {
  message: {
    chat: publish,
    notification: publish,
    join: ({ place, last_id, history, ref }) => ({ room: place, last_id, history, ref }),
    leave: inRoom,
    presence: ({ place, status, data, ref }) => ({ room: place, data: { status, meta: metaOf(data) }, ref }),
    ping: ({ ref }) => ({ ref }),
  },
  channel: {
    subscribe: ({ place, listen, last_id, ref }) => ({ channel: place, listen, last_id, ref }),
    unsubscribe: inChannel,
    broadcast: ({ place, event, data, ref }) => ({ channel: place, event, payload: data, ref }),
    presence_join: channelPresence,
    presence_update: channelPresence,
    presence_leave: inChannel,
  },
};

export function frameTypes(dialect: DialectName): string[] {
  return Object.keys(BUILDERS[dialect]);
}

/** Returns a frame of this type as JSON text. */
export function buildFrame(dialect: DialectName, type: string, fields: FrameFields): string {
  return JSON.stringify({ type, ...BUILDERS[dialect][type]?.(fields) });
}

/** Reads the frame form. Throws a SyntaxError if its data is not JSON. */
export function fieldsOf(form: HTMLFormElement): FrameFields {
  const values = new FormData(form);
  const listen = values.getAll('listen').filter((value) => typeof value === 'string');
  values.delete('listen');
  const filled: [string, string][] = [];
  for (const [name, value] of values)
    if (typeof value === 'string' && value !== '') filled.push([name, value]);
  const { data, history, ...texts }: Record<string, string> = Object.fromEntries(filled);
  return {
    ...texts,
    ...(data === undefined ? {} : { data: JSON.parse(data) }),
    ...(history === undefined ? {} : { history: Number(history) }),
    listen,
  };
}
