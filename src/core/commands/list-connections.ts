import type { Connection } from '../delivery/connection.ts';
import type { Pod } from './pod.ts';
import { Refused } from '../base/refused.ts';

/** An answer has no more rows once it has so many characters: NATS carries one message of a limited size. */
const MOST_TEXT = 131_072;

/** Asks for connections with ids after `after`, sorted by id: of one user, or of all. */
export interface ConnectionsQuestion {
  readonly ask: 'connections';
  readonly user?: string | undefined;
  readonly after: string;
  readonly limit: number;
}

/** A connection, as the API shows it. */
export interface ConnectionRow {
  readonly id: string;
  readonly user_id: string;
  /** The name of its pod. */
  readonly pod: string;
  readonly rooms: readonly string[];
  /** RFC 3339. */
  readonly since: string;
}

interface ConnectionsAnswer {
  readonly rows: readonly ConnectionRow[];
  /** The pod may have more connections after these. */
  readonly isCut: boolean;
}

export interface ConnectionsPage extends ConnectionsAnswer {
  /** A living pod did not answer. */
  readonly partial: boolean;
}

/** The connections of this pod that are asked for, as JSON. */
export function answerConnections(pod: Pod, { user, after, limit }: ConnectionsQuestion): string {
  const all = user === undefined ? pod.hub.connections() : pod.hub.connectionsOf(user);
  const connections = Array.from(all)
    .filter(({ connectionId, closed }) => connectionId > after && !closed)
    .sort((a, b) => (a.connectionId < b.connectionId ? -1 : 1));
  const rows: ConnectionRow[] = [];
  let size = 0;
  for (const connection of connections.slice(0, limit)) {
    const row = rowOf(pod, connection);
    rows.push(row);
    size += JSON.stringify(row).length;
    if (size > MOST_TEXT) break;
  }
  return JSON.stringify({ rows, isCut: rows.length < connections.length } satisfies ConnectionsAnswer);
}

/** One page of the connections of all pods, sorted by id. Raises `unavailable`. */
export async function pageOfConnections(
  pod: Pod,
  question: Omit<ConnectionsQuestion, 'ask'>,
): Promise<ConnectionsPage> {
  const { answers, missing } = await pod.directory.ask(JSON.stringify({ ask: 'connections', ...question }));
  if (missing === 'unavailable') throw new Refused('unavailable');
  const parts = answers.map((answer) => JSON.parse(answer) as ConnectionsAnswer);
  // After the end of an answer that was cut, rows of that pod would be missing, so none follows.
  const ends = parts.flatMap(({ isCut, rows }) => (isCut ? (rows.at(-1)?.id ?? []) : []));
  const known = parts
    .flatMap(({ rows }) => rows)
    .filter(({ id }) => ends.every((end) => id <= end))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const rows = known.slice(0, question.limit);
  return { rows, isCut: ends.length > 0 || rows.length < known.length, partial: missing !== undefined };
}

/** All connections of a user on all pods. Raises `unavailable`. */
export async function connectionsOfUser(pod: Pod, user: string): Promise<Omit<ConnectionsPage, 'isCut'>> {
  const rows: ConnectionRow[] = [];
  for (let partial = false; ;) {
    const page = await pageOfConnections(pod, { user, after: rows.at(-1)?.id ?? '', limit: 1_000 });
    rows.push(...page.rows);
    partial ||= page.partial;
    if (!page.isCut || page.rows.length === 0) return { rows, partial };
  }
}

function rowOf(
  { name, clock }: Pod,
  { connectionId, userId, memberships, openedAt }: Connection,
): ConnectionRow {
  return {
    id: connectionId,
    user_id: userId,
    pod: name,
    rooms: memberships.map(({ room }) => room.name),
    since: new Date(clock.now() - (clock.elapsed() - openedAt)).toISOString(),
  };
}
