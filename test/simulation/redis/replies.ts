/** A reply that is one line, such as OK. */
export class Status {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** An error as Redis words it, its code first; raised by whatever refuses a command. */
export class Refused {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Names and values in turn: a map to a client that speaks RESP3, a flat list to others and to Lua. */
export class Pairs {
  readonly flat: readonly Reply[];

  constructor(flat: readonly Reply[]) {
    this.flat = flat;
  }
}

/** Members and scores in turn: a list of pairs to a client that speaks RESP3, a flat list to others and to Lua. */
export class Scored {
  readonly flat: readonly Reply[];

  constructor(flat: readonly Reply[]) {
    this.flat = flat;
  }
}

/** A list that has no order to a client that speaks RESP3. */
export class Bag {
  readonly members: readonly string[];

  constructor(members: readonly string[]) {
    this.members = members;
  }
}

/** A number with a fraction: a text to clients of RESP2 and to Lua. */
export class Double {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** What comes without having been asked for: of the kind of its own in RESP3, a list else. */
export class Push {
  readonly items: readonly Reply[];

  constructor(items: readonly Reply[]) {
    this.items = items;
  }
}

/** The list that there is not; null is the text. */
export const NO_LIST = Symbol('no list');

/** Texts hold one byte in each character (Latin-1); null is the text that there is not. */
export type Reply =
  | string
  | number
  | bigint
  | null
  | typeof NO_LIST
  | Status
  | Refused
  | Pairs
  | Scored
  | Bag
  | Double
  | Push
  | readonly Reply[];

export const OK = new Status('OK');
export const SYNTAX = new Refused('ERR syntax error');
export const WRONG_TYPE = new Refused('WRONGTYPE Operation against a key holding the wrong kind of value');
export const NOT_INTEGER = new Refused('ERR value is not an integer or out of range');

/** For what neither Crosspod nor ioredis asks for: then the model is to be completed, and no client is to hear of it. */
export function notModelled(what: string): Error {
  return new Error(`the model of Redis does not have ${what}`);
}

/** The bytes of a reply, one in each character, in the protocol that the client speaks. */
export function encodeReply(reply: Reply, protocol: 2 | 3): string {
  if (typeof reply === 'string') return `$${reply.length}\r\n${reply}\r\n`;
  if (typeof reply === 'number' || typeof reply === 'bigint') return `:${reply}\r\n`;
  if (reply === NO_LIST) return protocol === 3 ? '_\r\n' : '*-1\r\n';
  if (reply === null) return protocol === 3 ? '_\r\n' : '$-1\r\n';
  if (Array.isArray(reply)) return encodeList('*', reply, protocol);
  return encodeSpecial(reply as Special, protocol);
}

type Special = Status | Refused | Pairs | Scored | Bag | Double | Push;

function encodeSpecial(reply: Special, protocol: 2 | 3): string {
  if (reply instanceof Status) return `+${oneLine(reply.text)}\r\n`;
  if (reply instanceof Refused) return `-${oneLine(reply.text)}\r\n`;
  if (reply instanceof Push) return encodeList(protocol === 3 ? '>' : '*', reply.items, protocol);
  if (reply instanceof Bag) return encodeList(protocol === 3 ? '~' : '*', reply.members, protocol);
  if (reply instanceof Double) {
    const text = formatNumber(reply.value);
    return protocol === 3 ? `,${text}\r\n` : encodeReply(text, 2);
  }
  if (protocol === 2) return encodeList('*', reply.flat, 2);
  if (reply instanceof Scored) return encodeList('*', pairsOf(reply.flat), 3);
  return `%${reply.flat.length / 2}\r\n${reply.flat.map((item) => encodeReply(item, 3)).join('')}`;
}

function encodeList(kind: string, items: readonly Reply[], protocol: 2 | 3): string {
  let text = `${kind}${items.length}\r\n`;
  for (const item of items) text += encodeReply(item, protocol);
  return text;
}

function pairsOf(flat: readonly Reply[]): Reply[] {
  return flat.flatMap((member, at) => (at % 2 === 0 ? [[member, flat[at + 1] ?? null]] : []));
}

function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]/g, ' ');
}

/** A number as C prints it by `%.17g`, which is how Redis gives scores and takes numbers from Lua. */
export function formatNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e17) return Object.is(value, -0) ? '-0' : String(value);
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  const [digits = '', exponent] = value.toPrecision(17).split('e');
  const short = digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits;
  if (exponent === undefined && Math.abs(value) >= 1e-4) return short;
  const [mantissa = '', power = '0'] = value.toExponential(16).split('e');
  const size = Math.abs(Number(power)).toString().padStart(2, '0');
  return `${mantissa.replace(/\.?0+$/, '')}e${Number(power) < 0 ? '-' : '+'}${size}`;
}
