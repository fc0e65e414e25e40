import { Connection } from '../delivery/connection.ts';
import { rejection } from '../../protocol/error-codes.ts';
import { type Decoded, type JoinCommand, LISTEN } from '../../protocol/command.ts';
import { CLOSE } from '../../protocol/close-codes.ts';
import type { Dialect } from '../../protocol/dialect.ts';
import type { Pod } from './pod.ts';
import type { Principal } from '../ports/principal.ts';
import type { Socket } from '../ports/socket.ts';
import { perform } from './perform.ts';
import { reject, rejectError } from './reject.ts';
import { viewOf } from './hook-views.ts';
import { count } from '../base/tally.ts';
import { dialectOfFirstFrame } from '../../protocol/dialects.ts';
import { pause } from '../base/pause.ts';
import { isBusy, settled } from '../pod/departure.ts';
import { isUnavailable } from '../base/refused.ts';

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

/** A client whose upgrade was accepted. */
export interface NewClient {
  readonly id: string;
  readonly principal: Principal;
  readonly address: Address;
  readonly dialect: Dialect | undefined;
  readonly socket: Socket;
}

/**
 * The use cases of a connection. Its transport calls `open` once, then `receive`, `heard` and `drained` any number of
 * times, then `closed` once.
 */
export class Gateway {
  readonly #pod: Pod;
  /** Commands of connections that are gone, which are not finished yet. */
  readonly #unfinished = new Set<Promise<void>>();

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
    const { dialect } = client;
    if (dialect === undefined) return connection;
    this.#speak(connection, dialect);
    const command = this.#joinAddress(client.address, dialect);
    if (command !== undefined) connection.commands.run(() => perform(this.#pod, connection, command));
    return connection;
  }

  /** A text frame has come. */
  receive(connection: Connection, frame: string): void {
    if (!connection.acceptsFrames) return;
    this.heard(connection);
    this.#pod.tally.received += 1;
    connection.commands.run(() => this.#handle(connection, frame));
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
    const { hooks } = this.#pod;
    if (hooks === undefined) return;
    const view = viewOf(connection);
    connection.commands.run(() => {
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
    if (connection.dialect === undefined) this.#speak(connection, dialectOfFirstFrame(frame));
    const decoded = connection.dialect?.decode(frame);
    if (decoded === undefined || !this.#isWithinRate(connection, decoded)) return undefined;
    if ('rejection' in decoded) {
      reject(connection, decoded.rejection, decoded);
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

  /** Sets the dialect of the connection, and greets the client if the dialect has a greeting. */
  #speak(connection: Connection, dialect: Dialect): void {
    const { clock, limits } = this.#pod;
    connection.speak(dialect);
    connection.tell({
      kind: 'connected',
      connectionId: connection.connectionId,
      userId: connection.userId,
      heartbeatSeconds: limits.heartbeatSeconds,
      maxMessageBytes: limits.maxMessageBytes,
      at: clock.now(),
    });
  }

  /** The command that joins the room in the address, before the first frame is handled. */
  #joinAddress({ room, lastId, history }: Address, dialect: Dialect): JoinCommand | undefined {
    if (room === undefined) return undefined;
    return { kind: 'join', room, listen: LISTEN.all, present: dialect.hearsAll, lastId, history };
  }
}
