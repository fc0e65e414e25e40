import { CrosspodError, retryDelayMs } from './errors.ts';
import { Members } from './members.ts';
import { Messages } from './messages.ts';
import type { Clock } from './platform.ts';
import { type Deferred, deferred } from './deferred.ts';
import { PresenceStatement } from './presence-statement.ts';
import { ResumePoint } from './resume-point.ts';
import { Signal } from './signal.ts';
import { fieldsOf, numberOr } from './wire.ts';
import type { Frame, Joined, Member, Message, Status, UnrecoveredReason } from './wire.ts';

/** Options of `room.join`. */
export interface JoinOptions {
  /** How many of the room's last messages to bring. After a reconnect the client resumes instead. */
  readonly history?: number;
  /** If false, the server sends no member list, only the count, and each member that joins, changes or leaves later. */
  readonly members?: boolean;
}

/** Messages between the last one received and the next one may be missing. */
export interface Gap {
  /** Why. With `unavailable`, the missed messages follow once the history can be read, if this client may read it. */
  readonly reason: UnrecoveredReason;
  /** How many stored messages follow. */
  readonly replayed: number;
}

/** What a membership needs of its client. */
export interface RoomLink {
  readonly clock: Clock;
  isClosed(): boolean;
  /** This user's id as the server gave it; known before the first frame of a room arrives. */
  userId(): string | undefined;
  nextRef(): string;
  /**
   * Sends a frame if the client is connected, and returns whether it did. A frame that is too long for the server is
   * not sent; `rejected` is called for it later.
   */
  write(text: string, ref: string): boolean;
  /** Reports an error that no other listener gets. */
  report(error: CrosspodError): void;
  /** The server took the room, or rejects the join of one that it gave. Returns whether a listener was told. */
  taken(membership: Membership): boolean;
  /** The membership begins: it gets the room's frames from now on, and `sendJoin` is called at each reconnect. */
  begun(membership: Membership): void;
  /** The client is closed: the membership joins when the client connects again, unless it has `ended` before. */
  waitsForConnect(membership: Membership): void;
  /** The membership is over; the client ignores the answer to the join `joinRef`. */
  ended(membership: Membership, joinRef: string | undefined): void;
}

/** One client's place in a room, from `join` to `leave`, over any number of reconnects. */
export class Membership {
  readonly room: string;
  readonly messages = new Messages();
  readonly presence = new Signal<[Member]>();
  readonly membersChanged = new Signal<[members: readonly Member[], count: number]>();
  readonly joined = new Signal<[Joined]>();
  readonly unrecovered = new Signal<[Gap]>();
  readonly left = new Signal<[CrosspodError | undefined]>();
  readonly members = new Members();
  readonly #link: RoomLink;
  readonly #resume = new ResumePoint();
  #options: JoinOptions = {};
  /** Set from `join` to `leave`; settled by the first answer. */
  #answer: Deferred<Joined> | undefined;
  /** Whether the server gave the room, and the application has not joined it itself. */
  #isGiven = false;
  /** Whether the application waits for that answer. */
  #isAwaited = false;
  /** The `ref` of the join that is not answered yet. */
  #joinRef: string | undefined;
  /** Whether the server has accepted the join. A frame of the room that arrives before is from an earlier stay. */
  #isJoined = false;
  /** The server could not read the history that the join asked for. */
  #historyPending = false;
  readonly #statement = new PresenceStatement();
  #statusRef: string | undefined;
  #joinTimer: unknown;
  #statusTimer: unknown;

  constructor(room: string, link: RoomLink) {
    this.room = room;
    this.#link = link;
  }

  get hasListeners(): boolean {
    const { messages, presence, membersChanged, joined, unrecovered, left } = this;
    return [messages, presence, membersChanged, joined, unrecovered, left].some(
      ({ hasListeners }) => hasListeners,
    );
  }

  /** See `Room.join`. */
  join(options?: JoinOptions): Promise<Joined> {
    const answer = this.#begin(options);
    this.#isGiven = false;
    this.#isAwaited ||= !this.#isJoined;
    return answer;
  }

  /** Joins because a listener was added. A rejection goes to `left`, or else to the client's `onError`. */
  joinForListener(): void {
    if (this.#link.isClosed()) this.#link.waitsForConnect(this);
    else this.#begin().catch(ignored);
  }

  /** The server made the client join. `tell` is called first, so that new listeners get everything. */
  given(joined: Joined, tell: () => void): void {
    const answer = deferred<Joined>();
    this.#answer = answer;
    this.#options = {};
    this.#isGiven = true;
    this.#link.begun(this);
    tell();
    if (this.#answer === answer) this.#joinAccepted(joined);
  }

  leave(): void {
    this.#isGiven = false;
    this.#statement.clear();
    if (this.#answer === undefined) {
      this.#resume.clear();
      this.#link.ended(this, undefined);
      return;
    }
    this.#write({ type: 'leave', ref: this.#link.nextRef() });
    this.#endAndForget(
      new CrosspodError('left', `the client left the room ${this.room} before the server answered the join`),
    );
  }

  /** See `Room.setPresence`. */
  setPresence(status: Status, meta?: object): void {
    this.#statement.set(status, meta);
    this.#sendStatus();
  }

  /** Joins, or resumes after the last message received. The client calls it after each reconnect. */
  enter(): void {
    this.#isJoined = false;
    this.#sendJoin();
  }

  /** Takes a frame from the server that names this room. */
  receive(frame: Frame): void {
    if (frame.event === 'joined' && frame.type === 'system') {
      if (frame.ref === this.#joinRef) this.#joinAccepted(frame.data as Joined);
    } else if (this.#isJoined) this.#receiveJoined(frame);
  }

  /** The server rejected the frame `ref`. Returns whether it was this room's join or presence. */
  rejected(ref: string, error: CrosspodError): boolean {
    const delay = retryDelayMs(error);
    const { clock } = this.#link;
    if (ref === this.#joinRef) {
      if (delay === undefined) this.#joinRejected(error);
      else this.#joinTimer = clock.setTimeout(() => this.#sendJoin(), delay);
    } else if (ref === this.#statusRef) {
      if (delay === undefined) this.#link.report(error);
      else this.#statusTimer = clock.setTimeout(() => this.#sendStatus(), delay);
    } else {
      return false;
    }
    return true;
  }

  /** The client is closed, so no answer will come. The resume point stays, for when the client connects again. */
  close(error: CrosspodError): void {
    this.#end(error);
    this.#link.waitsForConnect(this);
  }

  /** The client connects again. */
  reopen(): void {
    this.#begin(this.#options).catch(ignored);
  }

  /** Forgets the presence and the resume point, which belong to the user who was connected before. */
  reset(): void {
    this.#statement.clear();
    this.#resume.clear();
  }

  #begin(options: JoinOptions = {}): Promise<Joined> {
    if (this.#link.isClosed()) return Promise.reject(new CrosspodError('closed', 'the client is closed'));
    if (this.#answer === undefined) {
      this.#answer = deferred<Joined>();
      this.#options = options;
      this.#link.begun(this);
      this.enter();
    }
    return this.#answer.promise;
  }

  #sendJoin(): void {
    this.#link.clock.clearTimeout(this.#joinTimer);
    this.#joinRef = this.#link.nextRef();
    const { position } = this.#resume;
    const { history, members } = this.#options;
    const from = position === undefined ? { history } : { last_id: position };
    this.#write({ type: 'join', ...from, members, ref: this.#joinRef });
  }

  #joinAccepted(joined: Joined): void {
    const isFirst = this.#resume.position === undefined;
    this.#resume.joined(joined);
    this.#historyPending = isFirst && joined.reason === 'unavailable' && this.#options.history !== undefined;
    if (this.#historyPending) this.#resume.awaitHistory();
    this.#isJoined = true;
    this.#isAwaited = false;
    this.#joinRef = undefined;
    this.#replaceMembers(joined.count, joined.members ?? []);
    this.#answer?.resolve(joined);
    this.joined.emit(joined);
    this.#emitMembers();
    this.#reportGap(joined);
    this.#sendStatus();
  }

  #joinRejected(error: CrosspodError): void {
    const isExpected = this.left.hasListeners || this.#isAwaited || this.#isGiven;
    this.#endAndForget(error);
    this.#tellLeft(error, isExpected, error);
  }

  /** Tells the listeners; an error that none of them expects is reported. */
  #tellLeft(why: CrosspodError, isExpected: boolean, error?: CrosspodError): void {
    const wasGiven = this.#isGiven;
    this.#isGiven = false;
    const wasTold = (error === undefined || wasGiven) && this.#link.taken(this);
    if (!isExpected && !wasTold) this.#link.report(why);
    this.left.emit(error);
  }

  #receiveJoined(frame: Frame): void {
    if (frame.type === 'system') this.#system(frame);
    else if (frame.type === 'presence') this.#presenceChanged(frame);
    else if (frame.type === 'chat' || frame.type === 'notification') {
      const message = frame as Message;
      if (this.#resume.received(message)) this.messages.emit(message);
    }
  }

  #system({ event, ref, data }: Frame): void {
    if (event === 'recovered') this.#recovered(data as Joined);
    else if (event === 'left' && ref === undefined) this.#removedByServer();
    else if (event === 'members') {
      const { count, members } = fieldsOf(data);
      this.#replaceMembers(numberOr(count, 0), members as readonly Member[] | undefined);
      this.#emitMembers();
    }
  }

  #removedByServer(): void {
    const error = new CrosspodError('left', `the server removed this client from the room ${this.room}`);
    const isExpected = this.left.hasListeners || this.#isGiven;
    this.#endAndForget(error);
    this.#tellLeft(error, isExpected);
  }

  #recovered(recovery: Joined): void {
    this.#resume.replays(recovery.replayed ?? 0);
    this.#reportGap(recovery);
    // Asks for the history again, unless it would arrive after newer messages.
    if (this.#historyPending && this.#isJoined && this.#resume.position === undefined) this.#sendJoin();
    this.#historyPending = false;
  }

  #reportGap({ recovered, reason = 'unknown_position', replayed = 0 }: Joined): void {
    if (recovered === false && this.#isJoined) this.unrecovered.emit({ reason, replayed });
  }

  #presenceChanged(frame: Frame): void {
    const member = this.members.apply(frame.data);
    if (member === undefined) return;
    if (member.user_id === this.#link.userId()) this.#statement.changed(member);
    this.presence.emit(member);
    this.#emitMembers();
  }

  #replaceMembers(count: number, members: readonly Member[] | undefined): void {
    this.members.replace(count, members);
    const own = members?.find(({ user_id: user }) => user === this.#link.userId());
    if (own !== undefined) this.#statement.listed(own);
  }

  #emitMembers(): void {
    if (this.#isJoined) this.membersChanged.emit(this.members.list, this.members.count);
  }

  #sendStatus(): void {
    this.#link.clock.clearTimeout(this.#statusTimer);
    const { current } = this.#statement;
    if (current === undefined || !this.#isJoined) return;
    this.#statusRef = this.#link.nextRef();
    this.#write({ type: 'presence', data: current, ref: this.#statusRef });
  }

  #write(frame: { readonly ref: string; readonly [field: string]: unknown }): void {
    this.#link.write(JSON.stringify({ ...frame, room: this.room }), frame.ref);
  }

  #endAndForget(why: CrosspodError): void {
    this.#end(why);
    this.reset();
  }

  #end(why: CrosspodError): void {
    const { clock } = this.#link;
    clock.clearTimeout(this.#joinTimer);
    clock.clearTimeout(this.#statusTimer);
    this.#link.ended(this, this.#joinRef);
    // An application that ignores the promise of `join` must not get an unhandled rejection.
    this.#answer?.promise.catch(ignored);
    this.#answer?.reject(why);
    this.#answer = this.#joinRef = this.#statusRef = undefined;
    this.#isAwaited = this.#historyPending = false;
    const had = this.members.count;
    this.members.clear();
    if (had > 0) this.#emitMembers();
    this.#isJoined = false;
  }
}

function ignored(): void {}
