import { decodeUser, encodeUser } from './user-name.ts';

const USER = '{user}';

/**
 * A pattern for room names: `*` stands for any run of characters, `{user}` for an encoded user id. Only a pattern that
 * begins with `@` fits `@global` and `@direct`. Matching uses no regular expression: a pattern or a user id could make
 * one slow, or make it match more.
 */
export class NamePattern {
  readonly #text: string;
  readonly #pieces: readonly string[];
  readonly hasUser: boolean;

  constructor(text: string) {
    this.#text = text;
    this.#pieces = text.split('*');
    this.hasUser = text.includes(USER);
  }

  /** Whether the pattern fits, with this user's id in place of each `{user}`. */
  fits(name: string, userId: string): boolean {
    if (this.#text.startsWith('@') !== name.startsWith('@')) return false;
    if (!this.hasUser) return fitsPieces(this.#pieces, name);
    const user = encodeUser(userId);
    const pieces = this.#pieces.map((piece) => piece.replaceAll(USER, () => user));
    return fitsPieces(pieces, name);
  }

  /**
   * For a pattern with one `{user}`: the encoded user id that the name holds there; undefined if the pattern fits the
   * name for no user. Where `*` leaves a choice, it takes as little as it can before `{user}`, and the user as much as
   * there is, so that an id with separators (a UUID) is whole.
   */
  userIn(name: string): string | undefined {
    if (this.#text.startsWith('@') !== name.startsWith('@')) return undefined;
    const [before = '', after = ''] = this.#text.split(USER);
    const [head, tail] = [before.split('*'), after.split('*')];
    const [first = '', last = ''] = [head[0], tail.at(-1)];
    // Most patterns end here. The search below takes time with the square of the name's length.
    if (!name.startsWith(first) || !name.endsWith(last)) return undefined;
    if (head.length === 1 && tail.length === 1) {
      const user = name.slice(first.length, Math.max(first.length, name.length - last.length));
      return decodeUser(user) === undefined ? undefined : user;
    }
    const ends = places(name, (at) => fitsPieces(tail, name.slice(at))).toReversed();
    for (const start of places(name, (at) => fitsPieces(head, name.slice(0, at)))) {
      for (const end of ends) {
        const user = name.slice(start, end);
        if (end > start && decodeUser(user) !== undefined) return user;
      }
    }
    return undefined;
  }
}

function places(name: string, may: (at: number) => boolean): number[] {
  return Array.from({ length: name.length + 1 }, (_, at) => at).filter((at) => may(at));
}

function fitsPieces(pieces: readonly string[], name: string): boolean {
  const [first = '', ...others] = pieces;
  if (others.length === 0) return name === first;
  const last = others.pop() ?? '';
  if (!name.startsWith(first) || name.length < first.length + last.length || !name.endsWith(last))
    return false;
  let from = first.length;
  for (const piece of others) {
    const at = name.indexOf(piece, from);
    if (at === -1 || at + piece.length > name.length - last.length) return false;
    from = at + piece.length;
  }
  return true;
}
