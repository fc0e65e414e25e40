import type { Traits } from './command.ts';
import type { Connection } from './connection.ts';
import type { Reply } from './replies.ts';
import type { ServerState } from './state.ts';

/** A client's command, and whoever sent it. */
export interface Session {
  readonly server: ServerState;
  /** Undefined: an operator, who has no connection. */
  readonly connection: Connection | undefined;
}

/** A command that is about the connection or the server; no script may call it. Raises Refused. */
export interface SessionCommand extends Traits {
  /** Undefined where the answer has been pushed. */
  readonly run: (session: Session, words: readonly string[]) => Reply | undefined;
}

/** The connection, for a command that only a client can send. */
export function connectionOf({ connection }: Session): Connection {
  if (connection === undefined) throw new Error('this command needs a connection');
  return connection;
}
