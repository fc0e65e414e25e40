import { isRoomName } from '../../protocol/names.ts';
import { decodeUser, encodeUser } from '../../protocol/user-name.ts';

const USER = '{user}';

/** The rooms of PERSONAL_ROOM: each user has one, named by the encoded user id between two texts. */
export class PersonalRoom {
  readonly #before: string;
  readonly #after: string;

  /** `template` as `isPersonalRoom` accepts it. */
  constructor(template: string) {
    const [before = '', after = ''] = template.split(USER);
    this.#before = before;
    this.#after = after;
  }

  /** The room of a user; undefined if that is no room name, for example because it is too long. */
  roomOf(userId: string): string | undefined {
    const name = `${this.#before}${encodeUser(userId)}${this.#after}`;
    return isRoomName(name) ? name : undefined;
  }

  /** The user whose room it is; undefined for any other room. */
  ownerOf(room: string): string | undefined {
    const { length } = room;
    const [before, after] = [this.#before, this.#after];
    if (length <= before.length + after.length) return undefined;
    if (!room.startsWith(before) || !room.endsWith(after)) return undefined;
    return decodeUser(room.slice(before.length, length - after.length));
  }
}

/** Whether a text names rooms with one `{user}` and something before or after it. */
export function isPersonalRoom(template: string): boolean {
  const { length } = template.split(USER);
  return length === 2 && template !== USER && isRoomName(template.replace(USER, 'u'));
}
