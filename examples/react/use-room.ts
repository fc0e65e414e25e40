import { useCallback, useSyncExternalStore } from 'react';
import type { Crosspod, State } from 'crosspod-client';
import { roomStore, type RoomView } from './room-store.ts';

export interface RoomHook extends RoomView {
  /** The state of the connection: `connecting`, `connected`, `reconnecting` or `closed`. */
  readonly state: State;
  /** Resolves when the server has the message; rejects with a CrosspodError. */
  readonly send: (text: string) => Promise<string>;
}

/**
 * Stays in the room while a component that uses this hook is mounted. Create the client outside of components:
 * StrictMode runs them twice, and each client opens a connection.
 */
export function useRoom(client: Crosspod, name: string): RoomHook {
  const { view, watch, send } = roomStore(client, name);
  const room = useSyncExternalStore(watch, view);
  const onState = useCallback((changed: () => void) => client.onState(changed), [client]);
  const state = useSyncExternalStore(onState, () => client.state);
  return { ...room, state, send };
}
