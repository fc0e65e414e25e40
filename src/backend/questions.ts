import type { Arrival, ConnectionView, Evidence, Submission } from '../core/ports/hooks.ts';
import type { Json } from '../protocol/json.ts';

/** What the backend can be asked, as BACKEND_EVENTS names it. */
export const EVENTS = ['connect', 'join', 'publish', 'leave', 'call'] as const;
export type Event = (typeof EVENTS)[number];

export function connectQuestion({ id, userId, room, evidence, occasion }: Arrival): Json {
  const explain = occasion === 'explain' ? true : undefined;
  return JSON.stringify({ event: 'connect', connection: connectionOf(id, userId, evidence), room, explain });
}

export function roomQuestion(event: 'join' | 'leave', who: ConnectionView, room: string): Json {
  return JSON.stringify({ event, connection: viewed(who), room });
}

export function publishQuestion(who: ConnectionView, what: Submission): Json {
  const { type, event, data, to, ephemeral, room } = what;
  const head = JSON.stringify({ event: 'publish', connection: viewed(who), room });
  const message = withData({ type, event, to, ephemeral }, data);
  return `${head.slice(0, -1)},"message":${message}}`;
}

export function callQuestion(who: ConnectionView, method: string, data: Json): Json {
  return withData({ event: 'call', connection: viewed(who), method }, data);
}

/** `data` is JSON text already. */
function withData(fields: object, data: Json): Json {
  return `${JSON.stringify(fields).slice(0, -1)},"data":${data}}`;
}

function viewed({ id, userId, evidence }: ConnectionView): object {
  return connectionOf(id, userId, evidence);
}

function connectionOf(id: string | null, userId: string | null, evidence: Evidence | undefined): object {
  const { claims = null, headers = {}, remote } = evidence ?? {};
  return { id, user_id: userId, claims, headers, remote };
}
