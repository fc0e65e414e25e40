import { useCallback, useSyncExternalStore } from 'react';
import type { Crosspod, State } from 'crosspod-client';
import { roomStore, type RoomView } from './room-store.ts';

export interface RoomHook extends RoomView {
  /** Of the connection: `connecting`, `connected`, `reconnecting` or `closed`. */
  readonly state: State;
  /** Resolves when the server has the message; rejects with a CrosspodError. */
  readonly send: (text: string) => Promise<string>;
}

/**
 * Is in the room as long as a component is mounted that uses it. Make the client outside of components: StrictMode
 * runs them twice, and each client is a connection.
 */
export function useRoom(client: Crosspod, name: string): RoomHook {
  const { view, watch, send } = roomStore(client, name);
  const room = useSyncExternalStore(watch, view);
  const onState = useCallback((changed: () => void) => client.onState(changed), [client]);
  const state = useSyncExternalStore(onState, () => client.state);
  return { ...room, state, send };
}
