import { connectionOf, type Session, type SessionCommand } from './session.ts';
import { OK, Pairs, Push, Refused, type Reply, Status } from './replies.ts';
import { integerIn } from './command.ts';

/** What a client says first, and to see whether somebody is there. Passwords are taken without a look: nobody needs one. */
export const GREETING_COMMANDS: Readonly<Record<string, SessionCommand>> = {
  PING: { arity: -1, run: ping },
  HELLO: { arity: -1, always: true, run: hello },
  AUTH: { arity: -2, always: true, run: () => OK },
  SELECT: { arity: 2, always: true, run: select },
};

function ping({ connection }: Session, [, text]: readonly string[]): Reply {
  const isListening = connection !== undefined && connection.shared.size + connection.sharded.size > 0;
  if (isListening && connection.protocol === 2) return new Push(['pong', text ?? '']);
  return text ?? new Status('PONG');
}

function hello(session: Session, [, protocol, ...options]: readonly string[]): Reply {
  const { server } = session;
  const connection = connectionOf(session);
  if (protocol !== undefined && !/^[23]$/.test(protocol))
    throw new Refused('NOPROTO unsupported protocol version');
  for (let at = 0; at < options.length; at += /^AUTH$/i.test(options[at] ?? '') ? 3 : 2) {
    if (!/^(?:AUTH|SETNAME)$/i.test(options[at] ?? ''))
      throw new Refused(`ERR Syntax error in HELLO option '${options[at]}'`);
  }
  if (protocol !== undefined) connection.protocol = protocol === '3' ? 3 : 2;
  const facts: Record<string, Reply> = {
    server: 'redis',
    version: server.version,
    proto: connection.protocol,
    id: connection.id,
    mode: server.options.cluster === undefined ? 'standalone' : 'cluster',
    role: server.master === undefined ? 'master' : 'replica',
    modules: [],
  };
  return new Pairs(Object.entries(facts).flat());
}

/** There is one database. */
function select({ server }: Session, [, text]: readonly string[]): Reply {
  if (integerIn(text) !== 0) {
    const inCluster = server.options.cluster !== undefined;
    throw new Refused(
      inCluster ? 'ERR SELECT is not allowed in cluster mode' : 'ERR DB index is out of range',
    );
  }
  return OK;
}
