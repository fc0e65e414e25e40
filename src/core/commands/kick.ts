import { CLOSE } from '../../protocol/close-codes.ts';
import { CONNECTION_PREFIX } from '../../protocol/names.ts';
import { recipients } from './publish.ts';
import { isUnavailable } from '../base/refused.ts';
import type { Pod } from './pod.ts';

/** Closes all connections of a user with 4403, on all pods, with `reason` as the close reason. */
export function kickUser(pod: Pod, userId: string, reason?: string): Promise<Kicked> {
  return kick(pod, userId, reason);
}

/** Closes one connection with 4403, on any pod, if it exists, with `reason` as the close reason. */
export function kickConnection(pod: Pod, connectionId: string, reason?: string): Promise<Kicked> {
  return kick(pod, `${CONNECTION_PREFIX}${connectionId}`, reason);
}

export interface Kicked {
  /** The other pods could not be reached. */
  readonly partial: boolean;
}

async function kick(pod: Pod, to: string, reason: string | undefined): Promise<Kicked> {
  kickHere(pod, to, reason);
  try {
    await pod.broker.tellAll({ kind: 'kick', to, reason });
    return { partial: false };
  } catch (error) {
    if (isUnavailable(error)) return { partial: true };
    throw error;
  }
}

/** Closes the connections on this pod alone. */
export function kickHere(pod: Pod, to: string, reason: string | undefined): void {
  for (const connection of recipients(pod, to)) connection.close(CLOSE.kicked, reason);
}
