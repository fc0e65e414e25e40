import type { Traits } from './command.ts';
import { Refused } from './replies.ts';

/** A right that the user of all connections loses: a command (`xadd`), or publishing to and hearing channels (a glob). */
export type Rule = { readonly command: string } | { readonly channels: string };

interface Wording {
  readonly command: (name: string) => string;
  readonly channel: string;
  readonly commandInScript: (name: string) => string;
  readonly channelInScript: string;
}

const OLD: Wording = {
  command: (name) => `NOPERM this user has no permissions to run the '${name}' command`,
  channel: 'NOPERM this user has no permissions to access one of the channels used as arguments',
  commandInScript: () => "ERR The user executing the script can't run this command or subcommand",
  channelInScript: "ERR The user executing the script can't publish to the channel mentioned in the command",
};

/** Since Redis 7.2. */
const NEW: Wording = {
  command: (name) => `NOPERM User default has no permissions to run the '${name}' command`,
  channel: 'NOPERM No permissions to access a channel',
  commandInScript: (name) => `NOPERM User default has no permissions to run the '${name}' command`,
  channelInScript: 'NOPERM No permissions to access a channel',
};

/** What the one user, as whom everybody comes, may not do any more. */
export class Rights {
  readonly #wording: Wording;
  readonly #commands = new Set<string>();
  #channels: RegExp[] = [];

  /** `version` of the server, which words it. */
  constructor(version: string) {
    this.#wording = version.startsWith('7.0.') ? OLD : NEW;
  }

  deny(rule: Rule): void {
    if ('command' in rule) this.#commands.add(rule.command.toUpperCase());
    else this.#channels.push(globOf(rule.channels));
  }

  allowAll(): void {
    this.#commands.clear();
    this.#channels = [];
  }

  /** Gives how a command is refused, and undefined where it is allowed. */
  refusal(name: string, traits: Traits, words: readonly string[], inScript: boolean): Refused | undefined {
    const { command, channel, commandInScript, channelInScript } = this.#wording;
    if (this.#commands.has(name)) {
      const lower = name.toLowerCase();
      return new Refused(inScript ? commandInScript(lower) : command(lower));
    }
    if (this.#channels.length === 0 || this.mayUse(traits.channels?.(words) ?? [])) return undefined;
    return new Refused(inScript ? channelInScript : channel);
  }

  mayUse(channels: Iterable<string>): boolean {
    for (const channel of channels) if (this.#channels.some((denied) => denied.test(channel))) return false;
    return true;
  }
}

function globOf(glob: string): RegExp {
  const pattern = glob
    .replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)
    .replaceAll(String.raw`\*`, '.*')
    .replaceAll(String.raw`\?`, '.');
  return new RegExp(`^${pattern}$`, 's');
}
