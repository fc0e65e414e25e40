import { giveRoom, joinByServer, leaveByServer } from './join-by-server.ts';
import { isUnavailable } from '../base/refused.ts';
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
    if (ask === 'leave') return leaveByServer(pod, connection, room);
    giveRoom(connection, room);
    return joinByServer(pod, connection, room);
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
