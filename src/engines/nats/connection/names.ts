/** Names of everything in NATS (docs/platform/nats.md has the table); `prefix` begins each of them. */
export class Names {
  readonly prefix: string;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  /** A stream; also the name of what it is for. */
  stream(what: 'history' | 'claims' | 'presence' | 'leases' | 'places'): string {
    return `${this.prefix}-${what}`;
  }

  /** Subject under which a room's messages are kept. */
  history(room: string): string {
    return `${this.prefix}.history.${roomToken(room)}`;
  }

  /** Subject on which everything for a room comes to the pods: what is kept, once it is, and what is not. */
  room(room: string): string {
    return `${this.prefix}.room.${roomToken(room)}`;
  }

  /** Subject of what concerns all pods. */
  get global(): string {
    return `${this.prefix}.global`;
  }

  /** Subject on which the servers tell that a stream has another leader. */
  leaderElected(what: Parameters<Names['stream']>[0]): string {
    return `$JS.EVENT.ADVISORY.STREAM.LEADER_ELECTED.${this.stream(what)}`;
  }

  /** Any other subject below the prefix, of tokens that hold no dots. */
  subject(...tokens: readonly string[]): string {
    return [this.prefix, ...tokens].join('.');
  }
}

/** A room's name as one token of a subject: dots part tokens there. */
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
