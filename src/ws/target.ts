import { isRoomName } from '../protocol/names.ts';
import type { Address } from '../core/commands/gateway.ts';
import { DIALECT_NAMES, messageDialect } from '../protocol/dialects.ts';
import type { Dialect } from '../protocol/dialect.ts';
import { ERRORS } from '../protocol/error-codes.ts';
import type { UpgradeRefusal } from '../core/base/upgrade-refusal.ts';

/** What the address of an upgrade contains. */
export interface Target {
  readonly address: Address;
  /** `?user_id=` as sent; it counts only while authentication is off. */
  readonly userId: string | undefined;
  readonly query: URLSearchParams;
  /** From `?dialect=`, else `message` if there is a room. Undefined: the first frame decides. */
  readonly dialect: Dialect | undefined;
}

/** Reads `PATH`, `PATH/{room}` and their query, for the paths of WS_PATHS. A trailing slash changes nothing. */
export function readTarget(requestTarget: string, paths: readonly string[]): Target | UpgradeRefusal {
  // Not `new URL(target, base)`: a target that begins with `//` would name another host.
  const url = requestTarget.startsWith('/') ? URL.parse(`http://pod${requestTarget}`) : null;
  const pathname = url?.pathname ?? '';
  const path = longestAbove(pathname, paths);
  if (url === null || path === undefined) {
    return {
      status: 404,
      error: `there is no WebSocket at this path; try ${paths.join(' or ')}`,
      code: 'not_found',
    };
  }
  const segment = pathname.slice(path.length + 1).replace(/(?<=[^/])\/$/, '');
  return readQuery(decode(segment), url.searchParams);
}

function readQuery(roomInPath: string, parameters: URLSearchParams): Target | UpgradeRefusal {
  const query = (name: string): string | undefined => parameters.get(name) || undefined;
  const room = roomInPath || query('room');
  const dialectName = query('dialect');
  const history = query('history');
  if (room !== undefined && !isRoomName(room)) return bad(ERRORS.invalid_room, 'invalid_room');
  if (dialectName !== undefined && !DIALECT_NAMES.has(dialectName)) {
    return bad(`dialect must be ${[...DIALECT_NAMES.keys()].join(' or ')}`, 'invalid_dialect');
  }
  if (history !== undefined && !/^\d{1,9}$/.test(history)) {
    return bad('history must be a whole number of at least 0', 'invalid_history');
  }
  const named = dialectName === undefined ? undefined : DIALECT_NAMES.get(dialectName);
  return {
    address: { room, lastId: query('last_id'), history: history === undefined ? undefined : Number(history) },
    userId: query('user_id'),
    query: parameters,
    dialect: named ?? (room === undefined ? undefined : messageDialect),
  };
}

/** If one path lies below another, the longer one is meant. */
function longestAbove(pathname: string, paths: readonly string[]): string | undefined {
  let longest: string | undefined;
  for (const path of paths) {
    if (path.length > (longest?.length ?? 0) && isAtOrBelow(pathname, path)) longest = path;
  }
  return longest;
}

function isAtOrBelow(pathname: string, path: string): boolean {
  return pathname === path || pathname.startsWith(`${path}/`);
}

/** Returns an invalid room name for what cannot be decoded, so that it is refused as one. */
function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return '%';
  }
}

export function bad(error: string, code: UpgradeRefusal['code']): UpgradeRefusal {
  return { status: 400, error, code };
}
