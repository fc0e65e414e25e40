import { ROOM_PATTERN } from '../patterns.ts';

/** A JSON Schema (draft 07, which AsyncAPI 3.0 takes unless told otherwise), as plain data. */
export type Schema = Readonly<Record<string, unknown>>;
type Properties = Readonly<Record<string, Schema>>;

/** One kind of frame: what it is for, what is in it, and how it looks. */
export interface Frame {
  readonly summary: string;
  readonly schema: Schema;
  readonly examples: readonly Schema[];
}

/** `type` is the frame's; fields that are not listed may be there too and are to be ignored. */
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
/** In an error: what is wrong may be just that. */
export const AS_NAMED = text('As the client named it, also where it is no name.', {
  minLength: 1,
  maxLength: 1_024,
});
/** Also the two channels that stand for no room. */
export const CHANNEL = text('A room name, `@global` or `@direct`.', {
  pattern: `^(${ROOM_PATTERN.slice(1, -1)}|@global|@direct)$`,
});
export const USER = text('A user id.', { minLength: 1, maxLength: 256 });
export const FROM = text('A user id, or `system`.', { minLength: 1, maxLength: 256 });
export const REF = text('Comes back in the answer; on a publication it makes it idempotent.', {
  minLength: 1,
  maxLength: 64,
});
export const EVENT = text('What kind of message it is, in words of the application.');
export const ANY: Schema = { description: 'Any JSON.' };
export const META: Schema = { type: 'object', description: 'Whatever a user says of itself.' };
export const POSITION = text('An opaque place in the history of a room.');
export const ID = text('Of a message; a position unless the message is ephemeral.');
export const TIMESTAMP = text('RFC 3339, UTC, milliseconds.', { format: 'date-time' });
export const SECONDS = number('Seconds since 1970.');
export const MILLISECONDS = number('Milliseconds since 1970.');
export const EPHEMERAL: Schema = { type: 'boolean', description: 'At most once; the id is no position.' };
export const PROVISIONAL: Schema = {
  type: 'boolean',
  description: 'No history has it yet; the id is no position.',
};
export const PROVISIONAL_ID = text('The id under which some had it while it was provisional.');
export const TOKEN = text('A JSON Web Token of the same user.', { minLength: 1 });
export const CODE = text('For a program; see docs/protocol.md, "Errors".');
export const PERSON = text('For a person.');
export const BACK_AFTER = number('Milliseconds from the close until the client should be back.');
export const RETRY_AFTER = number('Milliseconds to wait before it is sent again.');
export const RECOVERED: Schema = {
  type: 'boolean',
  description: 'Whether nothing is missing; absent where nothing was resumed.',
};
export const REASON: Schema = {
  enum: ['trimmed', 'expired', 'unknown_position', 'history_lost', 'unavailable'],
  description: 'Why something is missing.',
};
export const REPLAYED = number('Messages that follow at once.');
export const COUNT = number('Users present.');
export const MEMBERS: Schema = {
  type: 'boolean',
  description: 'False: no list of who is present, only the number.',
};

export const POSITION_EXAMPLE = 'a1b2c3d4e5f6.1x2y3z.1767225600000-0';
export const TIME_EXAMPLE = '2026-01-01T00:00:00.000Z';
