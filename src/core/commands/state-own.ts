import type { Connection } from '../delivery/connection.ts';
import { connectionsOfUser } from './list-connections.ts';
import type { HttpUser } from './http-user.ts';
import { inTurn } from './move-user.ts';
import type { Json } from '../../protocol/json.ts';
import { isOwn, mayJoin } from './may-join.ts';
import type { Pod } from './pod.ts';
import { permit, Refused } from '../base/refused.ts';
import { applyStatement, requirePresence } from './state-presence.ts';
import type { Status } from '../../protocol/command.ts';

/** Asks the pods of these connections to state the presence of their user in a room. */
export interface StateQuestion {
  readonly ask: 'state';
  readonly connections: readonly string[];
  readonly room: string;
  readonly status?: Status | undefined;
  readonly meta?: Json | undefined;
}

interface StateAnswer {
  readonly stated: number;
}

/**
 * States the presence of a user who asks over HTTP, through its newest connection in the room; `offline` through all of
 * them, since each hides only itself. Raises `not_in_room` if no connection of the user is in the room on any pod, and
 * `unavailable` if that cannot be known.
 */
export async function stateOwn(
  pod: Pod,
  user: HttpUser,
  room: string,
  { status, meta }: Pick<StateQuestion, 'status' | 'meta'>,
): Promise<{ readonly partial: boolean }> {
  await requireStatable(pod, user, room);
  requirePresence(pod, user.userId, room, meta);
  const { rows, partial } = await connectionsOfUser(pod, user.userId);
  const inRoom = rows
    .filter(({ rooms }) => rooms.includes(room))
    .sort((a, b) => (a.since < b.since ? 1 : -1))
    .map(({ id }) => id);
  const connections = status === 'offline' ? inRoom : inRoom.slice(0, 1);
  const question: StateQuestion = { ask: 'state', connections, room, status, meta };
  const { answers } =
    connections.length === 0 ? { answers: [] } : await pod.directory.ask(JSON.stringify(question));
  const stated = answers.reduce((sum, text) => sum + (JSON.parse(text) as StateAnswer).stated, 0);
  if (stated === 0) throw new Refused(partial || connections.length > 0 ? 'unavailable' : 'not_in_room');
  return { partial: partial || stated < connections.length };
}

async function requireStatable(pod: Pod, user: HttpUser, room: string): Promise<void> {
  const { principal } = user;
  const may = user.isServer || user.may('presence', room);
  if ((may && !isForbidden(pod, user, room)) || isOwn(pod, principal, room)) return;
  permit((await pod.grants.leftMs(user.userId, room)) > 0);
}

/** The personal room of another user, which only the API can have opened. */
function isForbidden(pod: Pod, { principal }: HttpUser, room: string): boolean {
  return pod.personalRoom?.ownerOf(room) !== undefined && !mayJoin(pod, principal, room);
}

/** States it through the connections of this pod. Resolves to the answer as JSON. */
export async function answerState(pod: Pod, question: StateQuestion): Promise<string> {
  const own = question.connections.flatMap((id) => pod.hub.connection(id) ?? []);
  const done = await Promise.all(
    own.map((connection) => inTurn(connection, () => state(pod, connection, question))),
  );
  return JSON.stringify({ stated: done.filter(Boolean).length } satisfies StateAnswer);
}

/** Resolves to whether the connection is still in the room. */
async function state(
  pod: Pod,
  connection: Connection,
  { room, status, meta }: StateQuestion,
): Promise<boolean> {
  const membership = connection.membership(room);
  if (connection.closed || membership === undefined) return false;
  await applyStatement(pod, connection, membership, { status, meta });
  return true;
}
