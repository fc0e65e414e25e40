import type { Command, Decoded } from './command.ts';
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

const META_LIMIT = 4_096;
/** A client that looks for its mistake needs no more of a wrong name. */
const GIVEN_BACK_LIMIT = 1_024;

export type Fields = Readonly<Record<string, unknown>>;

export function invalid(code: ErrorCode, message: string = ERRORS[code]): InvalidField {
  return new InvalidField(code, message);
}

/**
 * Runs a dialect's reader over a frame. Never throws: what a reader refuses, and anything unforeseen, becomes a
 * rejection that carries the frame's `ref` as far as it can be read, and the room as the client named it: what is
 * wrong may be just that.
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
      room: isGivenBack(room) ? room : undefined,
    };
  }
}

function rejectionOf(error: unknown): Rejection {
  if (error instanceof InvalidField) return rejection(error.code, error.message);
  return rejection('internal');
}

function isGivenBack(name: unknown): name is string {
  return typeof name === 'string' && name.length >= 1 && name.length <= GIVEN_BACK_LIMIT;
}

function isRef(ref: unknown): ref is string {
  return typeof ref === 'string' && ref.length >= 1 && ref.length <= 64;
}

/** The frame's fields; raises `invalid_json` for anything that is not a JSON object. */
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

/** A string; absent, null and empty are all `undefined`. */
export function optionalString(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw invalid('invalid_message', `${name} must be a string`);
  return value;
}

/** A string that must be there. */
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

/** A room name; absent, null and empty are all `undefined`; raises `invalid_room`. */
export function optionalRoom(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (!isRoomName(value)) throw invalid('invalid_room');
  return value;
}

/** Absent and null are `otherwise`. */
export function optionalBoolean(fields: Fields, name: string, otherwise = false): boolean {
  const value = fields[name] ?? otherwise;
  if (typeof value !== 'boolean') throw invalid('invalid_message', `${name} must be true or false`);
  return value;
}

/** A whole number from 0 up. */
export function optionalCount(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw invalid('invalid_message', `${name} must be a whole number from 0 up`);
  }
  return value;
}

/** Any value as JSON text; absent is `null`. */
export function anyJson(value: unknown): Json {
  return write(value ?? null);
}

/** A presence's meta: a JSON object as text. Every member list carries it, so that it is kept short. */
export function optionalMeta(fields: Fields, name: string): Json | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw invalid('invalid_message', `${name} must be an object`);
  const meta = write(value);
  if (meta.length > META_LIMIT)
    throw invalid('invalid_message', `${name} may have ${META_LIMIT} characters as JSON`);
  return meta;
}

function write(value: unknown): Json {
  const text = writeJson(value);
  if (text === undefined) throw invalid('invalid_message', 'data is nested too deeply');
  return text;
}
