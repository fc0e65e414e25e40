import type { CallCommand, Command, Decoded } from './command.ts';
import { type ErrorCode, ERRORS, type Rejection, rejection } from './error-codes.ts';
import { isRoomName } from './names.ts';
import { type Json, writeJson } from './json.ts';

/** Thrown by the readers below and caught by `decodeWith`, nowhere else. */
class InvalidField extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The longest `meta` of a presence, in characters of JSON. */
export const META_LIMIT = 4_096;
/** Longer room names are left out of an error. */
const ROOM_ECHO_LIMIT = 1_024;

export type Fields = Readonly<Record<string, unknown>>;

export function invalid(code: ErrorCode, message: string = ERRORS[code]): InvalidField {
  return new InvalidField(code, message);
}

/**
 * Decodes a frame with a dialect's reader. Never throws: every error becomes a rejection. It carries the frame's `ref`
 * if that is valid, and the room as the client named it, even if the name is not valid.
 */
export function decodeWith(frame: string, roomField: string, read: (fields: Fields) => Command): Decoded {
  let fields: Fields = {};
  try {
    fields = parseFields(frame);
    return { command: read(fields) };
  } catch (error) {
    const { ref, [roomField]: room } = fields;
    return {
      rejection: rejectionOf(error),
      ref: isRef(ref) ? ref : undefined,
      room: isEchoed(room) ? room : undefined,
    };
  }
}

function rejectionOf(error: unknown): Rejection {
  if (error instanceof InvalidField) return rejection(error.code, error.message);
  return rejection('internal');
}

function isEchoed(name: unknown): name is string {
  return typeof name === 'string' && name.length >= 1 && name.length <= ROOM_ECHO_LIMIT;
}

function isRef(ref: unknown): ref is string {
  return typeof ref === 'string' && ref.length >= 1 && ref.length <= 64;
}

/** The frame's fields. Raises `invalid_json` if it is not a JSON object. */
export function parseFields(frame: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(frame);
  } catch {
    throw invalid('invalid_json');
  }
  if (!isObject(value)) throw invalid('invalid_json');
  return value;
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A string. Absent, null and empty give `undefined`. */
export function optionalString(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw invalid('invalid_message', `${name} must be a string`);
  return value;
}

export function requiredString(fields: Fields, name: string): string {
  const value = optionalString(fields, name);
  if (value === undefined) throw invalid('invalid_message', `${name} is missing`);
  return value;
}

/** 1 to 64 characters. */
export function optionalRef(fields: Fields): string | undefined {
  const { ref } = fields;
  if (ref === undefined || ref === null) return undefined;
  if (!isRef(ref)) throw invalid('invalid_message', 'ref must be a string of 1 to 64 characters');
  return ref;
}

/** A room name. Absent, null and empty give `undefined`. Raises `invalid_room`. */
export function optionalRoom(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (!isRoomName(value)) throw invalid('invalid_room');
  return value;
}

/** Absent and null give `otherwise`. */
export function optionalBoolean(fields: Fields, name: string, otherwise = false): boolean {
  const value = fields[name] ?? otherwise;
  if (typeof value !== 'boolean') throw invalid('invalid_message', `${name} must be true or false`);
  return value;
}

/** A whole number of at least 0. */
export function optionalCount(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw invalid('invalid_message', `${name} must be a whole number of at least 0`);
  }
  return value;
}

/** Any value as JSON text; absent is `null`. */
export function anyJson(value: unknown): Json {
  return write(value ?? null);
}

/** A call, whose method may be missing: a pod that answers no calls does not know the frame at all. */
export function callOf(fields: Fields, data: unknown): CallCommand {
  const { method } = fields;
  const isNamed = typeof method === 'string' && method !== '';
  return {
    kind: 'call',
    method: isNamed ? method : undefined,
    data: anyJson(data),
    ref: optionalRef(fields),
  };
}

/** The meta of a presence: a JSON object as text. It is limited because every member list carries it. */
export function optionalMeta(fields: Fields, name: string): Json | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw invalid('invalid_message', `${name} must be an object`);
  const meta = write(value);
  if (meta.length > META_LIMIT)
    throw invalid('invalid_message', `${name} may have at most ${META_LIMIT} characters as JSON`);
  return meta;
}

function write(value: unknown): Json {
  const text = writeJson(value);
  if (text === undefined) throw invalid('invalid_message', 'data is nested too deeply');
  return text;
}
