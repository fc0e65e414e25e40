import { type LeaseName, type PodRow } from './union.ts';
import { memberIn, type RowFields } from '../../shared/presence-row.ts';
import { roomOfToken, roomToken, textToken } from '../connection/names.ts';
import type { Names } from '../connection/names.ts';

/** A row, and the version of the `OwnMember` that it was written from. */
export interface VersionedRow extends PodRow {
  readonly version: number;
}

/** A message of the presence stream. */
export type PresenceEntry =
  | { readonly kind: 'row'; readonly room: string; readonly lease: LeaseName; readonly row: VersionedRow }
  /** A tombstone: rows that the pod wrote under this lease or an earlier one no longer count. */
  | { readonly kind: 'end'; readonly lease: LeaseName; readonly at: number; readonly by: string };

const ROW = 'row';
const END = 'end';

export function rowSubject(
  names: Names,
  room: string,
  { pod, generation }: LeaseName,
  userId: string,
): string {
  return names.subject('presence', ROW, roomToken(room), pod, String(generation), textToken(userId));
}

/** Matches all rows under a lease. */
export function rowsSubject(names: Names, { pod, generation }: LeaseName): string {
  return names.subject('presence', ROW, '*', pod, String(generation), '*');
}

export function tombstoneSubject(names: Names, { pod }: LeaseName): string {
  return names.subject('presence', END, pod);
}

export function rowText({ member, statedAt, connections, came, lost, version }: VersionedRow): string {
  const { userId, status, meta, updatedAt } = member;
  const user = `"user_id":${JSON.stringify(userId)},"updated_at":${updatedAt},"version":${version}`;
  // A user who left has no statement.
  if (connections === 0) return `{${user},"connections":0}`;
  const said = `"status":"${status}","meta":${meta},"stated_at":${statedAt}`;
  const numbers = `"connections":${connections},"came":${came}`;
  return `{${user},${said},${numbers}${lost.length > 0 ? `,"lost":${JSON.stringify(lost)}` : ''}}`;
}

/** `at` in seconds; `by`: the lease of the pod that writes it. */
export function tombstoneText({ generation }: LeaseName, at: number, by: string): string {
  return JSON.stringify({ generation, at, by });
}

/** Undefined for what cannot be read: another release or another program wrote it. */
export function readEntry(subject: string, data: Uint8Array): PresenceEntry | undefined {
  const [, , kind, first = '', pod = '', generation = ''] = subject.split('.');
  const fields = fieldsIn(data);
  if (fields === undefined) return undefined;
  if (kind === END) {
    const { generation, at, by } = fields;
    return {
      kind,
      lease: { pod: first, generation: numberIn(generation) },
      at: numberIn(at),
      by: String(by),
    };
  }
  const row = kind === ROW ? rowIn(fields) : undefined;
  if (row === undefined) return undefined;
  return { kind: ROW, room: roomOfToken(first), lease: { pod, generation: Number(generation) }, row };
}

export function leaseNameOf(name: string): LeaseName {
  const dot = name.lastIndexOf('.');
  return { pod: name.slice(0, dot), generation: Number(name.slice(dot + 1)) };
}

export function nameOfLease({ pod, generation }: LeaseName): string {
  return `${pod}.${generation}`;
}

function fieldsIn(data: Uint8Array): RowFields | undefined {
  try {
    const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString();
    const read: unknown = JSON.parse(text);
    return typeof read === 'object' && read !== null ? (read as RowFields) : undefined;
  } catch {
    return undefined;
  }
}

function rowIn(fields: RowFields): VersionedRow | undefined {
  const member = memberIn(fields);
  if (member === undefined) return undefined;
  const { stated_at: statedAt, connections, came, lost, version } = fields;
  return {
    member,
    statedAt: numberIn(statedAt),
    connections: numberIn(connections),
    came: numberIn(came),
    lost: Array.isArray(lost) ? lost.map(numberIn) : [],
    version: numberIn(version),
  };
}

function numberIn(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
