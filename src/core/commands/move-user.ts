import type { Connection } from '../delivery/connection.ts';
import { isUnavailable, Refused } from '../base/refused.ts';
import { joinByServer } from './join-by-server.ts';
import { leave } from './leave.ts';
import type { Pod } from './pod.ts';

/** Asks each pod to make its connections of a user join or leave a room. */
export interface MoveQuestion {
  readonly ask: 'join' | 'leave';
  readonly user: string;
  readonly room: string;
}

export interface Moved {
  /** How many connections are in the room now, or were in it before they left. */
  readonly connections: number;
  /** A living pod did not answer, or the engine could not store what was given. */
  readonly partial: boolean;
}

interface MoveAnswer {
  readonly connections: number;
}

/** Makes the connections of a user on all pods join a room, and permits it to the user for a day. */
export function joinUser(pod: Pod, user: string, room: string): Promise<Moved> {
  return move(pod, { ask: 'join', user, room });
}

/** Makes the connections of a user on all pods leave a room, and ends what `joinUser` permitted. */
export function leaveUser(pod: Pod, user: string, room: string): Promise<Moved> {
  return move(pod, { ask: 'leave', user, room });
}

/** Moves the connections of this pod. Resolves to the answer as JSON. */
export async function answerMove(pod: Pod, { ask, user, room }: MoveQuestion): Promise<string> {
  const moved = pod.hub.connectionsOf(user).map((connection) => {
    return inTurn(connection, () => (ask === 'join' ? give : takeBack)(pod, connection, room));
  });
  const connections = (await Promise.all(moved)).filter(Boolean).length;
  return JSON.stringify({ connections } satisfies MoveAnswer);
}

async function move(pod: Pod, question: MoveQuestion): Promise<Moved> {
  // First, so that a connection that opens meanwhile finds what holds.
  const stored = await store(pod, question);
  const { answers, missing } = await pod.directory.ask(JSON.stringify(question));
  const connections = answers.reduce((sum, text) => sum + (JSON.parse(text) as MoveAnswer).connections, 0);
  return { connections, partial: !stored || missing !== undefined };
}

/** False if the engine is away. */
async function store({ grants }: Pod, { ask, user, room }: MoveQuestion): Promise<boolean> {
  try {
    await (ask === 'join' ? grants.give(user, room) : grants.takeBack(user, room));
    return true;
  } catch (error) {
    if (isUnavailable(error)) return false;
    throw error;
  }
}

/** Resolves to whether the connection is in the room; a limit may prevent that, which the client is told. */
async function give(pod: Pod, connection: Connection, room: string): Promise<boolean> {
  await joinByServer(pod, connection, room, 'api');
  return !connection.closed && connection.membership(room) !== undefined;
}

/** Resolves to whether the connection was in the room. */
async function takeBack(pod: Pod, connection: Connection, room: string): Promise<boolean> {
  connection.takeBack(room, 'api');
  if (connection.closed || connection.membership(room) === undefined) return false;
  try {
    await leave(pod, connection, room, { kind: 'leave', room, absent: true });
  } catch (error) {
    // The client is out of the room; its presence ends when the engine is back.
    if (!(error instanceof Refused)) throw error;
  }
  return true;
}

/** Runs a task among the commands of the client, in their order. */
function inTurn(connection: Connection, task: () => Promise<boolean>): Promise<boolean> {
  return new Promise((resolve, reject) => {
    connection.commands.run(() => task().then(resolve, reject));
  });
}
