import { CLIENT } from './clients.ts';
import { CLUSTER_COMMANDS } from './cluster-commands.ts';
import { GREETING_COMMANDS } from './greetings.ts';
import { info, role } from './info.ts';
import type { SessionCommand } from './session.ts';
import { SUBSCRIBING_COMMANDS } from './subscribing.ts';

/** Everything that is about the connection or the server, by its name in capitals. */
export const SESSION_COMMANDS: Readonly<Record<string, SessionCommand>> = {
  ...GREETING_COMMANDS,
  ...SUBSCRIBING_COMMANDS,
  ...CLUSTER_COMMANDS,
  CLIENT,
  INFO: { arity: -1, always: true, run: info },
  ROLE: { arity: 1, always: true, run: role },
};
