import { ROOM_PATTERN } from '../patterns.ts';

/** A JSON Schema (draft 07, the default of AsyncAPI 3.0), as plain data. */
export type Schema = Readonly<Record<string, unknown>>;
type Properties = Readonly<Record<string, Schema>>;

/** One kind of frame. */
export interface Frame {
  readonly summary: string;
  readonly schema: Schema;
  readonly examples: readonly Schema[];
}

/** Describes frames with this `type`. A frame may have more fields than those listed; receivers must ignore them. */
export function frame(
  type: string | readonly string[],
  summary: string,
  properties: Properties,
  required: readonly string[],
  ...examples: readonly Schema[]
): Frame {
  const kind = typeof type === 'string' ? { const: type } : { enum: type };
  const schema = { type: 'object', properties: { type: kind, ...properties }, required };
  return { summary, schema, examples };
}

export function text(description: string, more: Schema = {}): Schema {
  return { type: 'string', description, ...more };
}

export function object(properties: Properties, required: readonly string[] = []): Schema {
  return { type: 'object', properties, required };
}

export function list(items: Schema, description: string): Schema {
  return { type: 'array', items, description };
}

export function number(description: string): Schema {
  return { type: 'integer', minimum: 0, description };
}

export function fixed(value: string): Schema {
  return { const: value };
}

export const ROOM = text('A room name.', { pattern: ROOM_PATTERN });
/** The room of an error, which need not be a valid name: that may be the error. */
export const AS_NAMED = text('The room as the frame of the client named it, even if the name is not valid.', {
  minLength: 1,
  maxLength: 1_024,
});
/** A room, or one of the two channels that are not rooms. */
export const CHANNEL = text('A room name, `@global` or `@direct`.', {
  pattern: `^(${ROOM_PATTERN.slice(1, -1)}|@global|@direct)$`,
});
export const USER = text('A user id.', { minLength: 1, maxLength: 256 });
export const FROM = text('A user id, or `system`.', { minLength: 1, maxLength: 256 });
export const REF = text('The answer repeats this text. In a publication, it also is the idempotency key.', {
  minLength: 1,
  maxLength: 64,
});
export const EVENT = text('The kind of message, as the application names it.');
export const ANY: Schema = { description: 'Any JSON value.' };
export const METHOD = text('What the application is asked to do.', { minLength: 1 });
export const APPLICATION_DATA: Schema = {
  description: 'What the operator’s hook or backend says to the client.',
};
export const META: Schema = {
  type: 'object',
  description: 'What the user states about itself, as a JSON object.',
};
export const POSITION = text('A position: a place in the history of a room. Treat it as opaque.');
export const ID = text(
  'The id of the message. It is a position unless the message is ephemeral or provisional.',
);
export const TIMESTAMP = text('A time as RFC 3339 writes it, in UTC, with milliseconds.', {
  format: 'date-time',
});
export const SECONDS = number('When status or meta last changed, in seconds since 1970.');
export const MILLISECONDS = number('When this was published or happened, in milliseconds since 1970.');
export const EPHEMERAL: Schema = {
  type: 'boolean',
  description: 'If true, the message is delivered at most once and not stored, and its id is not a position.',
};
export const PROVISIONAL: Schema = {
  type: 'boolean',
  description: 'If true, the history does not have the message yet, and its id is not a position.',
};
export const PROVISIONAL_ID = text(
  'Another id of the same message, under which it may have been delivered before. Drop the message if you have it.',
);
export const TOKEN = text('A new JSON Web Token of the same user.', { minLength: 1 });
export const CODE = text('A code for a program; docs/protocol.md lists all codes under "Errors".');
export const ERROR_TEXT = text('A text for a person that says what went wrong.');
export const BACK_AFTER = number('How many milliseconds after the close the client should reconnect.');
export const RETRY_AFTER = number('How many milliseconds to wait before the same command may succeed.');
export const RECOVERED: Schema = {
  type: 'boolean',
  description: 'True if no message is missing. It is absent if the client did not resume.',
};
export const REASON: Schema = {
  enum: ['trimmed', 'expired', 'unknown_position', 'history_lost', 'unavailable'],
  description: 'Why messages are missing.',
};
export const REPLAYED = number('How many stored messages follow at once.');
export const COUNT = number('How many users are present in the room.');
export const MEMBERS: Schema = {
  type: 'boolean',
  description:
    'If false, the client receives the number of members, but no list of them. The default is true.',
};

export const POSITION_EXAMPLE = 'a1b2c3d4e5f6.1x2y3z.1767225600000-0';
export const TIME_EXAMPLE = '2026-01-01T00:00:00.000Z';
