import type { Fleeting, Note, Stored } from '../../core/ports/broker.ts';

/**
 * What travels between pods: a line of words parted by blanks, the first of which says what it is, and behind it a
 * text that nobody on the way looks into. The scripts that append and that change presence write `message` and
 * `presence` themselves (engines/redis/lua/history/append.lua, presence/shared.lua); here is the rest, and how all are read.
 */
export type Envelope =
  | { readonly kind: 'message'; readonly stored: Stored }
  | PresenceEnvelope
  | FleetingEnvelope
  | NoteEnvelope
  | { readonly kind: 'probe' };

/** Which pod tells it, and the name of the publication where that has a key. */
interface Told {
  readonly origin: string;
  readonly name?: string | undefined;
}

export interface FleetingEnvelope extends Told {
  readonly kind: 'fleeting';
  readonly message: Fleeting;
}

export interface NoteEnvelope extends Told {
  readonly kind: 'note';
  readonly note: Note;
}

/** Somebody came, changed or left. */
export interface PresenceEnvelope {
  readonly kind: 'presence';
  /** By which the pod that caused it knows it again. */
  readonly name: string;
  /** As in `PresenceChange`; or `mended`: what was gone of the room is written anew, and who is in it is not told. */
  readonly change: string;
  readonly count: number;
  /** As it is, or was, in the presence hash. */
  readonly row: string;
}

const LINE_END = 10;

export function writeFleeting({ origin, name = '' }: Told, { id, body, trace = '' }: Fleeting): string {
  return `fleeting ${origin} ${id} ${trace} ${name}\n${body}`;
}

export function writeNote({ origin, name = '' }: Told, note: Note): string {
  switch (note.kind) {
    case 'global':
      return `global ${origin} ${note.id} ${note.trace ?? ''} ${name}\n${note.body}`;
    case 'direct':
      return `direct ${origin} ${note.id} ${note.trace ?? ''} ${encodeURIComponent(note.to)} ${name}\n${note.body}`;
    case 'kick':
      return `kick ${origin} ${encodeURIComponent(note.to)}\n${note.reason ?? ''}`;
  }
}

/** Undefined for what is none of these: another version's, or a stranger's. */
export function readEnvelope(bytes: Buffer): Envelope | undefined {
  const end = bytes.indexOf(LINE_END);
  if (end === -1) return undefined;
  const [kind, ...words] = bytes.toString('latin1', 0, end).split(' ');
  const [first = '', second = '', third = '', fourth = '', fifth = ''] = words;
  const text = bytes.toString('utf8', end + 1);
  const optional = (word: string): string | undefined => (word === '' ? undefined : word);
  switch (kind) {
    case 'message': {
      const stored = { id: first, prev: second, provisionalId: third, trace: optional(fourth), body: text };
      return { kind, stored };
    }
    case 'presence':
      return { kind, name: first, change: second, count: Number(third), row: text };
    case 'fleeting': {
      const message = { id: second, trace: optional(third), body: text };
      return { kind, origin: first, name: optional(fourth), message };
    }
    case 'global': {
      const note = { kind, id: second, trace: optional(third), body: text } as const;
      return { kind: 'note', origin: first, name: optional(fourth), note };
    }
    case 'direct': {
      const to = decodeURIComponent(fourth);
      const note = { kind, id: second, trace: optional(third), body: text, to } as const;
      return { kind: 'note', origin: first, name: optional(fifth), note };
    }
    case 'kick': {
      const to = decodeURIComponent(second);
      return { kind: 'note', origin: first, note: { kind, to, reason: optional(text) } };
    }
    case 'probe':
      return { kind };
    default:
      return undefined;
  }
}
