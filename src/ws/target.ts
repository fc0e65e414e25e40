import { isRoomName } from '../protocol/names.ts';
import type { Address } from '../core/commands/gateway.ts';
import { DIALECT_NAMES, messageDialect } from '../protocol/dialects.ts';
import type { Dialect } from '../protocol/dialect.ts';
import { ERRORS } from '../protocol/error-codes.ts';
import type { UpgradeRefusal } from '../core/base/upgrade-refusal.ts';

/** What the address of an upgrade says. */
export interface Target {
  readonly address: Address;
  /** As given; it counts only while authentication is off. */
  readonly userId: string | undefined;
  readonly query: URLSearchParams;
  /** As named by `?dialect=`, or `message` where there is a room; undefined: the first frame decides. */
  readonly dialect: Dialect | undefined;
}

/** Reads `PATH`, `PATH/{room}` and their query, for the paths of WS_PATHS; a slash at the end changes nothing. */
export function readTarget(requestTarget: string, paths: readonly string[]): Target | UpgradeRefusal {
  // Put together by hand: a target that begins with `//` must not name another host.
  const url = requestTarget.startsWith('/') ? URL.parse(`http://pod${requestTarget}`) : null;
  // Of two paths one of which lies below the other, the longer is meant.
  const longestFirst = paths.toSorted((a, b) => b.length - a.length);
  const path = url === null ? undefined : longestFirst.find((one) => isAtOrBelow(url.pathname, one));
  if (url === null || path === undefined) {
    return { status: 404, error: `there is no WebSocket here; try ${paths.join(' or ')}`, code: 'not_found' };
  }
  const segment = url.pathname.slice(path.length + 1).replace(/(?<=[^/])\/$/, '');
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
    return bad('history must be a whole number from 0 up', 'invalid_history');
  }
  const named = dialectName === undefined ? undefined : DIALECT_NAMES.get(dialectName);
  return {
    address: { room, lastId: query('last_id'), history: history === undefined ? undefined : Number(history) },
    userId: query('user_id'),
    query: parameters,
    dialect: named ?? (room === undefined ? undefined : messageDialect),
  };
}

function isAtOrBelow(pathname: string, path: string): boolean {
  return pathname === path || pathname.startsWith(`${path}/`);
}

/** A room that cannot be decoded is no room name, so that it is refused as one. */
function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return '%';
  }
}

/** The request itself is wrong. */
export function bad(error: string, code: UpgradeRefusal['code']): UpgradeRefusal {
  return { status: 400, error, code };
}
