import { Connection, type Source } from '../delivery/connection.ts';
import { rejection } from '../../protocol/error-codes.ts';
import type { Decoded, JoinCommand } from '../../protocol/command.ts';
import { CLOSE } from '../../protocol/close-codes.ts';
import type { Dialect } from '../../protocol/dialect.ts';
import type { Pod } from './pod.ts';
import type { Principal } from '../ports/principal.ts';
import type { Socket } from '../ports/socket.ts';
import { closeIfDenied } from './deny.ts';
import { perform } from './perform.ts';
import { reject, rejectError } from './reject.ts';
import { viewOf } from './hook-views.ts';
import { count } from '../base/tally.ts';
import { dialectOfFirstFrame } from '../../protocol/dialects.ts';
import { pause } from '../base/pause.ts';
import { isBusy, settled } from '../pod/departure.ts';
import { isUnavailable } from '../base/refused.ts';
import type { JoinGrant } from '../ports/hooks.ts';
import type { Json } from '../../protocol/json.ts';
import { LISTEN } from '../../protocol/command.ts';
import { join } from './join.ts';
import { type Gift, giftsOf } from './given-rooms.ts';
import { joinByServer } from './join-by-server.ts';
import { refuseCall } from './call.ts';

const CLOSING_CHECK_MS = 20;
/** A client may close with any code; unknown codes are counted as `other`. */
const KNOWN_CODES: ReadonlySet<number> = new Set([
  1005,
  1006,
  ...Object.values(CLOSE).map(({ code }) => code),
]);

/** What the address of the upgrade asks for. */
export interface Address {
  readonly room?: string | undefined;
  readonly lastId?: string | undefined;
  readonly history?: number | undefined;
}

/** What the hooks gave a client that they let in. */
export interface Welcome {
  /** For the client. */
  readonly data?: Json | undefined;
  /** Rooms that the connection joins at once. */
  readonly rooms?: readonly string[] | undefined;
  /** What came with the permission to join the room in the address. */
  readonly join?: JoinGrant | undefined;
}

/** A client whose upgrade was accepted. */
export interface NewClient {
  readonly id: string;
  readonly principal: Principal;
  readonly address: Address;
  readonly dialect: Dialect | undefined;
  readonly socket: Socket;
  /** Undefined if no hook sees it. */
  readonly source?: Source | undefined;
  readonly welcome?: Welcome | undefined;
}

/**
 * The use cases of a connection. Its transport calls `open` once, then `receive`, `heard` and `drained` any number of
 * times, then `closed` once.
 */
export class Gateway {
  readonly #pod: Pod;
  /** Commands of connections that are gone, which are not finished yet. */
  readonly #unfinished = new Set<Promise<void>>();
  /** What hooks gave to connections whose dialect is not known yet. */
  readonly #welcomes = new WeakMap<Connection, Welcome>();

  constructor(pod: Pod) {
    this.#pod = pod;
  }

  open(client: NewClient): Connection {
    const { clock } = this.#pod;
    const connection = new Connection(
      { ...client, room: client.address.room, elapsed: clock.elapsed() },
      this.#pod,
    );
    this.#pod.hub.add(connection);
    const { dialect, welcome } = client;
    if (welcome !== undefined) this.#welcomes.set(connection, welcome);
    if (dialect !== undefined)
      connection.commands.run(() => this.#begin(connection, dialect, client.address));
    // An entry that came during the handshake found no connection to close.
    closeIfDenied(this.#pod, connection);
    return connection;
  }

  /** A text frame has come. */
  receive(connection: Connection, frame: string): void {
    if (!connection.acceptsFrames) return;
    this.heard(connection);
    this.#pod.tally.received += 1;
    if (connection.commands.isBusy && isPing(connection, frame)) void this.#handle(connection, frame);
    else connection.commands.run(() => this.#handle(connection, frame));
  }

  /** The client has given a sign of life. */
  heard(connection: Connection): void {
    connection.heard(this.#pod.clock.elapsed());
  }

  /** The client reads again. */
  drained(connection: Connection): void {
    connection.outbox.flush();
    if (connection.memberships.some(({ readsFrom }) => readsFrom !== undefined)) {
      this.#pod.catchUp.connection(connection).catch((error: unknown) => {
        // It goes on when the history can be read again (broker-receiver.ts).
        if (!isUnavailable(error)) rejectError(this.#pod, connection, error, {});
      });
    }
  }

  /** The socket is gone; `code` is that of the close frame, or 1006 (RFC 6455 section 7.1.5). */
  closed(connection: Connection, code: number): void {
    const { directory, hub, roster, tally } = this.#pod;
    connection.lost();
    // A client may answer a close with any code, but the code of the pod ended the connection.
    const ending = connection.closeCode ?? code;
    count(tally.closed, KNOWN_CODES.has(ending) ? ending : 'other');
    const present = connection.memberships.filter((membership) => membership.present);
    // The place in the room of the address was taken before the handshake; the client may have gone before it joined.
    const heard = new Set([...connection.memberships.map(({ room }) => room.name), connection.room ?? '']);
    const rooms = [...present.map(({ room }) => room.name), ...roster.places.namesOf([...heard])];
    this.#tellHooks(connection, ending);
    this.#finish(connection);
    hub.remove(connection);
    void directory.release(connection.userId, connection.connectionId);
    if (ending === CLOSE.normal.code) roster.exitAll(rooms, connection);
    else roster.lose(rooms, connection, connection.awayMs);
  }

  /** Tells the hooks after all commands of the connection are done. */
  #tellHooks(connection: Connection, code: number): void {
    const { hooks, rules } = this.#pod;
    if (hooks === undefined) return;
    const view = viewOf(connection);
    const heard = connection.memberships.filter(({ listen }) => listen !== LISTEN.none);
    connection.commands.run(() => {
      if (hooks.left !== undefined)
        for (const { room } of heard) hooks.left(view, room.name, rules.ruleOf(room.name));
      hooks.disconnected(view, code);
      return undefined;
    });
  }

  #finish(connection: Connection): void {
    if (!isBusy(connection)) return;
    const rest = settled(this.#pod, connection);
    this.#unfinished.add(rest);
    void rest.then(() => this.#unfinished.delete(rest));
  }

  /** Closes every connection with 1001; resolves when all are gone and their commands are done. */
  async closeAll(): Promise<void> {
    while (this.#pod.hub.connectionCount > 0) {
      this.cutOff();
      await pause(this.#pod.clock, CLOSING_CHECK_MS);
    }
    await Promise.all(this.#unfinished);
  }

  /** Closes every connection with 1001. */
  cutOff(): void {
    for (const connection of this.#pod.hub.connections()) connection.close(CLOSE.goingAway);
  }

  #handle(connection: Connection, frame: string): Promise<void> | undefined {
    if (!connection.acceptsFrames) return undefined;
    if (connection.dialect === undefined) {
      const joins = this.#begin(connection, dialectOfFirstFrame(frame), {});
      if (joins !== undefined) return joins.then(() => this.#obey(connection, frame));
    }
    return this.#obey(connection, frame);
  }

  #obey(connection: Connection, frame: string): Promise<void> | undefined {
    const decoded = connection.dialect?.decode(frame);
    if (decoded === undefined || !this.#isWithinRate(connection, decoded)) return undefined;
    if ('rejection' in decoded) {
      reject(connection, decoded.rejection, decoded);
      return undefined;
    }
    const wrong = refuseCall(this.#pod, decoded.command);
    if (wrong !== undefined) {
      reject(connection, wrong, decoded.command);
      return undefined;
    }
    connection.frames.readable();
    return perform(this.#pod, connection, decoded.command);
  }

  /** Counts the frame. One too many is rejected; a client that ignores this for ten seconds is closed. */
  #isWithinRate(connection: Connection, decoded: Decoded): boolean {
    const { clock, limits } = this.#pod;
    const retryAfterMs = connection.frames.take(limits.messagesPerSecond, clock.elapsed());
    if (retryAfterMs === 0) return true;
    this.#pod.tally.rateLimited += 1;
    if (connection.frames.isAbused) connection.close(CLOSE.rateAbuse);
    else {
      const about = 'command' in decoded ? decoded.command : decoded;
      reject(connection, { ...rejection('rate_limited'), retryAfterMs }, about);
    }
    return false;
  }

  /** The client's dialect is known: greets it, joins the room in its address, then the rooms that the server gives it. */
  #begin(connection: Connection, dialect: Dialect, address: Address): Promise<void> | undefined {
    const { data, rooms, join: granted } = this.#welcomes.get(connection) ?? {};
    this.#welcomes.delete(connection);
    const personal = this.#pod.personalRoom?.roomOf(connection.userId);
    this.#speak(connection, dialect, data, personal);
    const command = this.#joinAddress(address, dialect);
    const gifts = giftsOf(connection, personal, rooms);
    if (command === undefined && gifts.length === 0) return undefined;
    return this.#joinAll(connection, command, granted, gifts);
  }

  async #joinAll(
    connection: Connection,
    command: JoinCommand | undefined,
    granted: JoinGrant | undefined,
    gifts: readonly Gift[],
  ): Promise<void> {
    const { room } = command ?? {};
    if (command !== undefined && room !== undefined) {
      for (const gift of gifts) if (gift.room === room) connection.give(room, gift.by);
      await join(this.#pod, connection, room, command, granted).catch((error: unknown) => {
        rejectError(this.#pod, connection, error, command);
      });
    }
    for (const gift of gifts) await joinByServer(this.#pod, connection, gift.room, gift.by);
  }

  /** Sets the dialect of the connection, and greets the client if the dialect has a greeting. */
  #speak(
    connection: Connection,
    dialect: Dialect,
    data: Json | undefined,
    personalRoom: string | undefined,
  ): void {
    const { clock, limits, personalRoom: rooms } = this.#pod;
    connection.speak(dialect);
    connection.tell({
      kind: 'connected',
      connectionId: connection.connectionId,
      userId: connection.userId,
      heartbeatSeconds: limits.heartbeatSeconds,
      maxMessageBytes: limits.maxMessageBytes,
      personalRoom,
      data,
      at: clock.now(),
    });
    if (rooms !== undefined && personalRoom === undefined) {
      const error = 'the name of your personal room would be no room name: your user id is too long for it';
      reject(connection, { ...rejection('invalid_room'), error }, {});
    }
  }

  /** The command that joins the room in the address, before the first frame is handled. */
  #joinAddress({ room, lastId, history }: Address, dialect: Dialect): JoinCommand | undefined {
    if (room === undefined) return undefined;
    return { kind: 'join', room, listen: LISTEN.all, present: dialect.hearsAll, lastId, history };
  }
}

/** A ping waits for no other command. It is decoded twice, only while a command is in progress. */
function isPing({ dialect }: Connection, frame: string): boolean {
  if (dialect === undefined || !frame.includes('"ping"')) return false;
  const decoded = dialect.decode(frame);
  return 'command' in decoded && decoded.command.kind === 'ping';
}
