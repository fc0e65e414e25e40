import type { Connection } from './connection.ts';
import { type DataCommand, fitsArity, type Traits, wrongArity } from './command.ts';
import { DATA_COMMANDS } from './data-commands.ts';
import { fence } from './fences.ts';
import { Refused, type Reply } from './replies.ts';
import { slotOfCommand } from './routing.ts';
import { SCRIPTING_COMMANDS } from './scripting.ts';
import type { Session, SessionCommand } from './session.ts';
import { SESSION_COMMANDS } from './session-commands.ts';
import type { ServerState } from './state.ts';

const COMMANDS = new Map<string, SessionCommand>([
  ...Object.entries(SESSION_COMMANDS),
  ...Object.entries(SCRIPTING_COMMANDS),
  ...[...DATA_COMMANDS].map(([name, command]): [string, SessionCommand] => [name, ofData(command)]),
]);
/** What a client of RESP2 may still ask once it has subscribed something. */
const WHILE_SUBSCRIBED = new Set(['SUBSCRIBE', 'UNSUBSCRIBE', 'SSUBSCRIBE', 'SUNSUBSCRIBE', 'PING', 'QUIT']);

/** Runs a client's command, or an operator's. Undefined: the answer has been pushed. Raises Refused. */
export function execute(
  server: ServerState,
  connection: Connection | undefined,
  words: readonly string[],
): Reply | undefined {
  server.tick();
  const name = (words[0] ?? '').toUpperCase();
  const command = COMMANDS.get(name);
  if (command === undefined) throw unknownCommand(words);
  if (!fitsArity(command, words)) throw wrongArity(name);
  const session = { server, connection };
  try {
    if (connection !== undefined) requireAllowed(session, name, command, words);
    return command.run(session, words);
  } finally {
    if (connection !== undefined && name !== 'ASKING') connection.asking = false;
    server.replication.send();
  }
}

function requireAllowed(session: Session, name: string, traits: Traits, words: readonly string[]): void {
  const { server, connection } = session;
  const refused = server.rights.refusal(name, traits, words, false);
  if (refused !== undefined) throw refused;
  slotOfCommand(server, traits, words, connection?.asking === true);
  const fenced = fence(server, name, traits);
  if (fenced !== undefined) throw fenced;
  const isListening = connection !== undefined && connection.shared.size + connection.sharded.size > 0;
  if (isListening && connection.protocol === 2 && !WHILE_SUBSCRIBED.has(name)) throw onlyListening(name);
}

function ofData(command: DataCommand): SessionCommand {
  return { ...command, run: ({ server }, words) => command.run(server.call, words) };
}

function onlyListening(name: string): Refused {
  return new Refused(
    `ERR Can't execute '${name.toLowerCase()}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`,
  );
}

function unknownCommand([name = '', ...args]: readonly string[]): Refused {
  let quoted = '';
  for (const arg of args) if (quoted.length < 128) quoted += `'${arg.slice(0, 128 - quoted.length)}' `;
  return new Refused(`ERR unknown command '${name.slice(0, 128)}', with args beginning with: ${quoted}`);
}
