import { notModelled, OK, Refused, type Reply } from './replies.ts';
import { connectionOf, type Session, type SessionCommand } from './session.ts';

/** CLIENT: who a connection is, and the end of another one. */
export const CLIENT: SessionCommand = { arity: -2, always: true, run: client };

function client(session: Session, [, subcommand = '', ...words]: readonly string[]): Reply {
  switch (subcommand.toUpperCase()) {
    case 'ID':
      return connectionOf(session).id;
    case 'SETNAME':
      return OK;
    case 'KILL':
      return kill(session, words);
    default:
      throw new Refused(`ERR unknown subcommand '${subcommand}'. Try CLIENT HELP.`);
  }
}

function kill({ server }: Session, [filter = '', text = '', ...more]: readonly string[]): Reply {
  if (filter.toUpperCase() !== 'ID' || more.length > 0) throw notModelled('CLIENT KILL but by ID');
  const id = Number(text);
  if (!Number.isInteger(id) || id < 1) throw new Refused('ERR client-id should be greater than 0');
  const connection = server.connections.get(id);
  connection?.end();
  return Number(connection !== undefined);
}
