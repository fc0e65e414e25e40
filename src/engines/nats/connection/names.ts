/** The names of all streams and subjects, which begin with `prefix` (docs/platform/nats.md has the table). */
export class Names {
  readonly prefix: string;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  stream(
    what: 'history' | 'claims' | 'values' | 'presence' | 'leases' | 'places' | 'grants' | 'denials',
  ): string {
    return `${this.prefix}-${what}`;
  }

  /** The subject under which a room's messages are stored. */
  history(room: string): string {
    return `${this.prefix}.history.${roomToken(room)}`;
  }

  /** The subject on which pods receive everything for a room: stored messages, once stored, and all others. */
  room(room: string): string {
    return `${this.prefix}.room.${roomToken(room)}`;
  }

  /** The subject of what concerns all pods. */
  get global(): string {
    return `${this.prefix}.global`;
  }

  /** The subject on which servers announce that a stream has another leader. */
  leaderElected(what: Parameters<Names['stream']>[0]): string {
    return `$JS.EVENT.ADVISORY.STREAM.LEADER_ELECTED.${this.stream(what)}`;
  }

  /** Any other subject below the prefix. The tokens must not contain dots. */
  subject(...tokens: readonly string[]): string {
    return [this.prefix, ...tokens].join('.');
  }
}

/** A room's name as one token of a subject. Dots separate tokens, so they are replaced. */
export function roomToken(room: string): string {
  return room.replaceAll('.', '~');
}

export function roomOfToken(token: string): string {
  return token.replaceAll('~', '.');
}

/** Any text, such as a user id, as one token of a subject. */
export function textToken(text: string): string {
  return Buffer.from(text).toString('base64url');
}
