import type { Fleeting, Note, Stored } from '../../core/ports/broker.ts';

/**
 * What travels between pods: a line of words separated by blanks, whose first word is the kind, and after it a text
 * that no pod on the way reads. Redis scripts write `message` and `presence` (engines/redis/lua/history/append.lua,
 * presence/shared.lua); the other kinds are written here, and all are read here.
 */
export type Envelope =
  | { readonly kind: 'message'; readonly stored: Stored }
  | PresenceEnvelope
  | FleetingEnvelope
  | NoteEnvelope
  | QuestionEnvelope
  | AnswerEnvelope
  | { readonly kind: 'probe' };

/** `origin`: the pod that sent it. `name`: set if the publication has a key. */
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

/** A pod asks; `origin` gets the answer. `id` is its number for the question. */
export interface QuestionEnvelope {
  readonly kind: 'question';
  readonly origin: string;
  readonly id: number;
  readonly question: string;
}

export interface AnswerEnvelope {
  readonly kind: 'answer';
  /** The pod that answers. */
  readonly origin: string;
  readonly id: number;
  readonly reply: Reply;
}

/** A pod's answer. `unable`: it cannot answer the question. `stopped`: it has nothing to be asked about any more. */
export type Reply = { readonly text: string } | 'unable' | 'stopped';

/** A member joined, changed or left. */
export interface PresenceEnvelope {
  readonly kind: 'presence';
  /** By it the pod that caused the change recognizes it. */
  readonly name: string;
  /** `PresenceChange.kind`; or `mended`: lost rows of the room were written again, and members are told nothing. */
  readonly change: string;
  readonly count: number;
  /** The member's row in the presence hash; after a leave, its last one. */
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

export function writeQuestion(origin: string, id: number, question: string): string {
  return `question ${origin} ${id}\n${question}`;
}

export function writeAnswer(origin: string, id: number, reply: Reply): string {
  if (typeof reply === 'string') return `answer ${origin} ${id} ${reply}\n`;
  return `answer ${origin} ${id} text\n${reply.text}`;
}

function replyOf(word: string, text: string): Reply {
  if (word === 'text') return { text };
  return word === 'stopped' ? word : 'unable';
}

/** Undefined for what cannot be read: another release or another program sent it. */
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
      return readAsked(kind, words, text);
  }
}

function readAsked(
  kind: string | undefined,
  [origin = '', id, state = '']: readonly string[],
  text: string,
): QuestionEnvelope | AnswerEnvelope | undefined {
  if (kind === 'question') return { kind, origin, id: Number(id), question: text };
  if (kind === 'answer') return { kind, origin, id: Number(id), reply: replyOf(state, text) };
  return undefined;
}
