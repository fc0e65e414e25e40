import type { CallDecision, Grant, JoinGrant, Refusal } from '../ports/hooks.ts';
import { isRoomName, isUserId } from '../../protocol/names.ts';
import { type Json, writeJson } from '../../protocol/json.ts';
import { readCode, rejection } from '../../protocol/error-codes.ts';
import { META_LIMIT } from '../../protocol/fields.ts';
import { readPermissions } from './permissions.ts';

/**
 * An answer of a hook or of the backend is invalid. The message says why and quotes nothing of the answer, which may
 * hold client data.
 */
export class WrongAnswer extends Error {}

export type Fields = Readonly<Record<string, unknown>>;

/** Who answered. */
export type By = Refusal['by'];

/** An answer, allowed or refused. Raises WrongAnswer if a named field has another form; unknown fields are ignored. */
export function readAnswer<Allowed>(
  answer: unknown,
  by: By,
  allowed: (fields: Fields) => Allowed,
): Allowed | Refusal {
  const fields = asObject(answer, 'the answer');
  const { allow } = fields;
  if (typeof allow !== 'boolean') throw new WrongAnswer('allow must be true or false');
  return allow ? allowed(fields) : refusalOf(fields, by);
}

function refusalOf({ code: given = 'forbidden', error }: Fields, by: By): Refusal {
  const code = readCode(given);
  if (code === undefined) throw new WrongAnswer('code must have 1 to 64 of a-z 0-9 _');
  if (error !== undefined && typeof error !== 'string') throw new WrongAnswer('error must be a string');
  return { kind: 'refuse', by, rejection: rejection(code, error || undefined) };
}

/** What a `connect` that is allowed may bring. */
export function readGrant(fields: Fields): Grant {
  return {
    ...given('userId', userIdOf(fields)),
    ...given('permissions', permissionsOf(fields)),
    ...given('rooms', roomsOf(fields)),
    ...given('expiresAt', timeOf(fields)),
    ...given('data', dataOf(fields)),
  };
}

/** What a join that is allowed may bring. */
export function readJoinGrant(fields: Fields): JoinGrant {
  return { ...given('data', dataOf(fields)), ...given('meta', metaOf(fields)) };
}

/** For how many milliseconds the answer to a join holds; 0 if it does not. */
export function readTtlMs(answer: unknown): number {
  const { ttl_seconds: ttl = 0 } = asObject(answer, 'the answer');
  if (typeof ttl !== 'number' || !(ttl >= 0)) throw new WrongAnswer('ttl_seconds must be a number from 0');
  return ttl * 1_000;
}

/** The result of a call that is allowed. */
export function readResult(fields: Fields): CallDecision {
  return { kind: 'result', data: dataOf(fields) ?? 'null' };
}

export function asObject(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new WrongAnswer(`${what} must be an object`);
}

/** A field of an answer as JSON text; undefined if it is absent. */
export function dataOf({ data }: Fields): Json | undefined {
  if (data === undefined) return undefined;
  // writeJson returns undefined for a function or a symbol.
  const text = writeJson(data);
  if (text === undefined) throw new WrongAnswer('data must be JSON');
  return text;
}

/** Without the field if there is no value, so that a spread of it replaces nothing. */
function given<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): Partial<Record<Name, Value>> {
  return value === undefined ? {} : ({ [name]: value } as Record<Name, Value>);
}

function userIdOf({ user_id: id }: Fields): string | undefined {
  if (id === undefined || id === null) return undefined;
  if (typeof id !== 'string' || !isUserId(id)) throw new WrongAnswer('user_id must be a user id');
  return id;
}

function permissionsOf({ permissions: list }: Fields): Grant['permissions'] {
  if (list === undefined) return undefined;
  const permissions = readPermissions(list);
  if (permissions === undefined) throw new WrongAnswer('permissions must be a list of action:pattern');
  return permissions;
}

function roomsOf({ rooms }: Fields): readonly string[] | undefined {
  if (rooms === undefined) return undefined;
  if (!Array.isArray(rooms) || !rooms.every(isRoomName)) {
    throw new WrongAnswer('rooms must be a list of room names');
  }
  return [...new Set(rooms)];
}

/** RFC 3339 section 5.6. */
const TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

function timeOf({ expires_at: text }: Fields): number | undefined {
  if (text === undefined) return undefined;
  const at = typeof text === 'string' && TIME.test(text) ? Date.parse(text.toUpperCase()) : Number.NaN;
  if (Number.isNaN(at)) throw new WrongAnswer('expires_at must be a time as RFC 3339 writes it');
  return at;
}

function metaOf({ meta }: Fields): Json | undefined {
  if (meta === undefined) return undefined;
  const text = writeJson(asObject(meta, 'meta'));
  if (text === undefined || text.length > META_LIMIT) {
    throw new WrongAnswer(`meta may have at most ${META_LIMIT} characters as JSON`);
  }
  return text;
}
