import { createHash } from 'node:crypto';
import { fitsArity, integerIn, wrongArity } from './command.ts';
import { DATA_COMMANDS } from './data-commands.ts';
import { fence } from './fences.ts';
import { OK, Refused, type Reply } from './replies.ts';
import { slotInScript, slotOfCommand } from './routing.ts';
import type { Session, SessionCommand } from './session.ts';

const SHA_LENGTH = 40;
const NO_SCRIPT = new Refused('NOSCRIPT No matching script. Please use EVAL.');

/** Commands that run scripts, and that keep them for later. */
export const SCRIPTING_COMMANDS: Readonly<Record<string, SessionCommand>> = {
  EVAL: { arity: -3, keys: keysOfScript, run: evaluate },
  EVALSHA: { arity: -3, keys: keysOfScript, run: evaluateLoaded },
  SCRIPT: { arity: -2, run: script },
};

function keysOfScript(words: readonly string[]): readonly string[] {
  return words.slice(3, 3 + (Number(words[2]) || 0));
}

function evaluate(session: Session, words: readonly string[]): Reply {
  const text = words[1] ?? '';
  requireKeys(words);
  return run(session, load(session, text), words);
}

function evaluateLoaded(session: Session, words: readonly string[]): Reply {
  const sha = (words[1] ?? '').toLowerCase();
  if (sha.length !== SHA_LENGTH) throw NO_SCRIPT;
  requireKeys(words);
  if (!session.server.scripts.has(sha)) throw NO_SCRIPT;
  return run(session, sha, words);
}

function requireKeys(words: readonly string[]): void {
  const count = integerIn(words[2]);
  if (count > words.length - 3) throw new Refused("ERR Number of keys can't be greater than number of args");
  if (count < 0) throw new Refused("ERR Number of keys can't be negative");
}

function script(session: Session, [, subcommand = '', ...words]: readonly string[]): Reply {
  const { scripts } = session.server;
  switch (subcommand.toUpperCase()) {
    case 'LOAD':
      if (words.length !== 1) throw wrongArity('script|load');
      return load(session, words[0] ?? '');
    case 'EXISTS':
      return words.map((sha) => Number(scripts.has(sha.toLowerCase())));
    case 'FLUSH':
      scripts.clear();
      return OK;
    default:
      throw new Refused(`ERR unknown subcommand '${subcommand}'. Try SCRIPT HELP.`);
  }
}

/** Gives under which SHA-1 it was loaded. */
function load({ server }: Session, text: string): string {
  const sha = createHash('sha1').update(text, 'latin1').digest('hex');
  if (server.scripts.has(sha)) return sha;
  server.options.lua.compile(sha, text);
  server.scripts.set(sha, text);
  return sha;
}

/** What a script did before it failed stays done. */
function run(session: Session, sha: string, words: readonly string[]): Reply {
  const keys = keysOfScript(words);
  const caller = new ScriptCaller(session, keys);
  const args = words.slice(3 + keys.length);
  return session.server.options.lua.run({ sha, keys, args, call: (command) => caller.call(command) });
}

/** A script that runs, as far as its commands have to do with each other. */
class ScriptCaller {
  readonly #session: Session;
  #slot: number | undefined;
  #hasWritten = false;

  constructor(session: Session, keys: readonly string[]) {
    this.#session = session;
    this.#slot = slotInScript(session.server, keys);
  }

  call(words: readonly string[]): Reply {
    const name = (words[0] ?? '').toUpperCase();
    const command = DATA_COMMANDS.get(name);
    const { server } = this.#session;
    try {
      if (command === undefined) throw unknownInScript(name);
      if (!fitsArity(command, words))
        throw new Refused('ERR Wrong number of args calling Redis command from script');
      this.#requireAllowed(name, words);
      return command.run(server.call, words);
    } catch (error) {
      if (error instanceof Refused) return error;
      throw error;
    }
  }

  #requireAllowed(name: string, words: readonly string[]): void {
    const { server, connection } = this.#session;
    const command = DATA_COMMANDS.get(name);
    if (command === undefined || connection === undefined) return;
    const denied = server.rights.refusal(name, command, words, true);
    if (denied !== undefined) throw denied;
    // Once a script has written, no state of the server ends it halfway.
    const fenced = this.#hasWritten ? undefined : fence(server, name, command);
    if (fenced !== undefined) throw fenced;
    if (command.writes) this.#hasWritten = true;
    this.#requireSlot(slotOfCommand(server, command, words, connection.asking, true));
  }

  #requireSlot(slot: number | undefined): void {
    if (slot === undefined) return;
    this.#slot ??= slot;
    if (this.#slot !== slot)
      throw new Refused('ERR Script attempted to access keys that do not hash to the same slot');
  }
}

function unknownInScript(name: string): Refused {
  const isKnown = NOT_IN_SCRIPTS.has(name);
  return new Refused(
    isKnown
      ? 'ERR This Redis command is not allowed from script'
      : 'ERR Unknown Redis command called from script',
  );
}

const NOT_IN_SCRIPTS = new Set([
  'EVAL',
  'EVALSHA',
  'SCRIPT',
  'SUBSCRIBE',
  'UNSUBSCRIBE',
  'SSUBSCRIBE',
  'SUNSUBSCRIBE',
  'AUTH',
  'HELLO',
  'CLIENT',
  'ROLE',
  'INFO',
  'CLUSTER',
  'ASKING',
]);
