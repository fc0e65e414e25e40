import { Push } from './replies.ts';
import { connectionOf, type Session, type SessionCommand } from './session.ts';

const channelsIn = (words: readonly string[]): readonly string[] => words.slice(1);

/** Commands by which a connection listens to channels, and stops to. */
export const SUBSCRIBING_COMMANDS: Readonly<Record<string, SessionCommand>> = {
  SUBSCRIBE: {
    arity: -2,
    always: true,
    channels: channelsIn,
    run: (session, words) => subscribe(session, words, false),
  },
  SSUBSCRIBE: {
    arity: -2,
    always: true,
    channels: channelsIn,
    sharded: true,
    run: (session, words) => subscribe(session, words, true),
  },
  UNSUBSCRIBE: { arity: -1, always: true, run: (session, words) => unsubscribe(session, words, false) },
  SUNSUBSCRIBE: {
    arity: -1,
    always: true,
    channels: channelsIn,
    sharded: true,
    run: (session, words) => unsubscribe(session, words, true),
  },
};

function subscribe(session: Session, [, ...channels]: readonly string[], sharded: boolean): undefined {
  const connection = connectionOf(session);
  const own = sharded ? connection.sharded : connection.shared;
  for (const channel of channels) {
    own.add(channel);
    session.server.channels.add(channel, connection, sharded);
    connection.push(new Push([sharded ? 'ssubscribe' : 'subscribe', channel, own.size]));
  }
}

/** Without a channel from all. */
function unsubscribe(session: Session, [, ...channels]: readonly string[], sharded: boolean): undefined {
  const connection = connectionOf(session);
  const own = sharded ? connection.sharded : connection.shared;
  const kind = sharded ? 'sunsubscribe' : 'unsubscribe';
  const left = channels.length > 0 ? channels : [...own];
  for (const channel of left) {
    own.delete(channel);
    session.server.channels.remove(channel, connection, sharded);
    connection.push(new Push([kind, channel, own.size]));
  }
  if (left.length === 0) connection.push(new Push([kind, null, 0]));
}
