/** Milliseconds or sequence of a stream id: a bigint only where a number would not be exact. */
export type IdPart = number | bigint;

export interface StreamId {
  readonly ms: IdPart;
  readonly seq: IdPart;
}

export interface StreamEntry extends StreamId {
  /** Names and values in turn. */
  readonly fields: readonly string[];
}

/** What a key can hold; texts have one byte in each character. */
export type Value =
  | { readonly type: 'string'; text: string }
  | { readonly type: 'hash'; readonly fields: Map<string, string> }
  | { readonly type: 'set'; readonly members: Set<string> }
  | { readonly type: 'zset'; readonly scores: Map<string, number>; order: string[] | undefined }
  | { readonly type: 'stream'; entries: StreamEntry[]; last: StreamId };

export type ValueOf<Type extends Value['type']> = Extract<Value, { type: Type }>;

/** A key's value, and the end of its time in milliseconds since 1970. */
export interface Entry {
  value: Value;
  expiresAt: number | undefined;
}

/** All that a server keeps, as it was at one moment; it does not change any more. */
export interface Dump {
  readonly entries: ReadonlyMap<string, Entry>;
}

export function copyOf(entries: ReadonlyMap<string, Entry>): Map<string, Entry> {
  const copy = new Map<string, Entry>();
  for (const [key, { value, expiresAt }] of entries) copy.set(key, { value: copyOfValue(value), expiresAt });
  return copy;
}

function copyOfValue(value: Value): Value {
  switch (value.type) {
    case 'string':
      return { ...value };
    case 'hash':
      return { type: 'hash', fields: new Map(value.fields) };
    case 'set':
      return { type: 'set', members: new Set(value.members) };
    case 'zset':
      return { type: 'zset', scores: new Map(value.scores), order: undefined };
    case 'stream':
      return { ...value, entries: [...value.entries] };
  }
}
