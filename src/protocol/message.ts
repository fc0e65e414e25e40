import type { Json } from './json.ts';

/** The types that clients may publish. A broadcast of the channel dialect is a `chat`. */
export type MessageType = 'chat' | 'notification';

/** An accepted message that has no id yet. `room` is absent in a global or direct message. */
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
  /** Delivered at most once; its id is not a position. */
  readonly ephemeral?: boolean;
}

export interface Message extends MessageDraft {
  readonly id: string;
  /** The history does not have it yet; its id is not a position. */
  readonly provisional?: boolean;
  /** The id under which clients may have received it already. */
  readonly provisional_id?: string;
}

/**
 * Encodes a draft in the message dialect, without the leading `{"id":"…",`. The broker that assigns the id adds it with
 * `withId`, without parsing.
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
 * Completes a body with its id. `provisionalId` is the id under which clients may have received the message already
 * (docs/recovery.md, "One message, two names").
 */
export function withId(id: string, body: string, provisionalId?: string): Json {
  const name = provisionalId === undefined ? '' : `"provisional_id":"${provisionalId}",`;
  return `{"id":"${id}",${name}${body}`;
}

/** Marks a body as not yet stored in the history (docs/protocol.md, "While Redis is unavailable"). */
export function withProvisional(body: string): string {
  return `${body.slice(0, -1)},"provisional":true}`;
}

/** Decodes what `encodeBody` encoded, for dialects that cannot forward it unchanged. */
export function decodeBody(id: string, body: string, provisionalId?: string): Message {
  const message = JSON.parse(withId(id, body, provisionalId)) as Message;
  return { ...message, data: JSON.stringify(message.data) };
}
