import type { Json } from './json.ts';

/** What clients may publish; the channel dialect's broadcast is a `chat`. */
export type MessageType = 'chat' | 'notification';

/** A message as it was accepted, before it has an id. `room` is absent in a global or direct message. */
export interface MessageDraft {
  readonly type: MessageType;
  readonly room?: string | undefined;
  /** The addressee of a direct message: a user id or `conn:<id>`. */
  readonly to?: string | undefined;
  readonly from: string;
  readonly event?: string | undefined;
  readonly data: Json;
  /** RFC 3339, UTC, milliseconds. */
  readonly timestamp: string;
  /** At most once, and its id is no position. */
  readonly ephemeral?: boolean;
}

export interface Message extends MessageDraft {
  readonly id: string;
  /** No history has it yet, and its id is no position. */
  readonly provisional?: boolean;
  /** The id under which some may have it already. */
  readonly provisional_id?: string;
}

/**
 * The message dialect's JSON without its opening `{"id":"…",`. Whoever gives the message its id, a broker that
 * appends it to a history, puts the two together with `withId` and need not parse anything.
 */
export function encodeBody(draft: MessageDraft): string {
  let body = `"type":"${draft.type}"`;
  if (draft.room !== undefined) body += `,"room":"${draft.room}"`;
  if (draft.to !== undefined) body += `,"to":${JSON.stringify(draft.to)}`;
  body += `,"from":${JSON.stringify(draft.from)}`;
  if (draft.event !== undefined) body += `,"event":${JSON.stringify(draft.event)}`;
  body += `,"data":${draft.data},"timestamp":"${draft.timestamp}"`;
  return draft.ephemeral ? `${body},"ephemeral":true}` : `${body}}`;
}

/**
 * `provisionalId`: by which some may have the message already (docs/recovery.md, "One message, two names"); absent where
 * nobody can.
 */
export function withId(id: string, body: string, provisionalId?: string): Json {
  const name = provisionalId === undefined ? '' : `"provisional_id":"${provisionalId}",`;
  return `{"id":"${id}",${name}${body}`;
}

/** The body of a message that no history has yet (docs/protocol.md, "While Redis is unavailable"). */
export function withProvisional(body: string): string {
  return `${body.slice(0, -1)},"provisional":true}`;
}

/** Reads back what `encodeBody` wrote; for the dialects that do not forward it as it is. */
export function decodeBody(id: string, body: string, provisionalId?: string): Message {
  const message = JSON.parse(withId(id, body, provisionalId)) as Message;
  return { ...message, data: JSON.stringify(message.data) };
}
