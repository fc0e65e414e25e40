import { CHANNELS, type Connection } from '../delivery/connection.ts';
import { DIRECT, GLOBAL } from '../../protocol/names.ts';
import { type JoinCommand, LISTEN } from '../../protocol/command.ts';

/** The channels that are not rooms. */
export const CHANNEL_OF: ReadonlyMap<string, number> = new Map([
  [GLOBAL, CHANNELS.global],
  [DIRECT, CHANNELS.direct],
]);

/** Subscribes or unsubscribes one of them, a bit of CHANNELS, as a join asks. */
export function subscribe(connection: Connection, name: string, channel: number, command: JoinCommand): void {
  if ((command.listen & LISTEN.messages) !== 0) connection.subscribe(channel);
  else connection.unsubscribe(channel);
  if (command.ref !== undefined) connection.answer({ kind: 'ack', ref: command.ref, room: name });
}
