import { CrosspodError, retryDelayMs } from './errors.ts';
import { Members } from './members.ts';
import { Messages } from './messages.ts';
import type { Clock } from './platform.ts';
import { type Deferred, deferred } from './deferred.ts';
import { ResumePoint } from './resume-point.ts';
import { Signal } from './signal.ts';
import { Statement } from './presence-statement.ts';
import { fieldsOf, numberOr } from './wire.ts';
import type { Frame, Joined, Member, Message, Status, UnrecoveredReason } from './wire.ts';

export interface JoinOptions {
  /** How many of the room's last messages to bring. Not asked for again after a reconnect, which resumes. */
  readonly history?: number;
  /** False: no list of who is there comes, only how many they are and whoever comes, changes or leaves from then on. */
  readonly members?: boolean;
}

/**
 * Messages between the last one received and the next ones may be missing. With `unavailable` that is not known yet:
 * what was missed follows when the history can be read, if this client may read it.
 */
export interface Gap {
  readonly reason: UnrecoveredReason;
  /** How many of those that are kept follow. */
  readonly replayed: number;
}

/** What a membership needs of its client. */
export interface RoomLink {
  readonly clock: Clock;
  isClosed(): boolean;
  /** How the server names this user; known once anything is received. */
  userId(): string | undefined;
  nextRef(): string;
  /** Whether it was handed to a socket; what the server would not take is told as `refused`, later. */
  write(text: string, ref: string): boolean;
  /** For a refusal that nobody else hears of. */
  report(error: CrosspodError): void;
  /** Frames of the room are for this membership from now on, and it is told when the line comes up. */
  begun(membership: Membership): void;
  /** The client is closed: it joins once that connects again, unless it has `ended` before. */
  waits(membership: Membership): void;
  /** They are no longer; nobody waits for the answer to this join. */
  ended(membership: Membership, joinRef: string | undefined): void;
}

/** One client's place in a room, from `join` to `leave`, through however many connections. */
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
  /** Somebody waits for that answer. */
  #awaited = false;
  /** Of the join that is not answered yet. */
  #joinRef: string | undefined;
  /** The server has let this client in; what comes for the room before is from an earlier stay. */
  #inside = false;
  /** The history that was asked for could not be read. */
  #historyOwed = false;
  readonly #statement = new Statement();
  #statusRef: string | undefined;
  #joinTimer: unknown;
  #statusTimer: unknown;

  constructor(room: string, link: RoomLink) {
    this.room = room;
    this.#link = link;
  }

  /** Whether anybody listens to anything of it. */
  get isHeard(): boolean {
    const { messages, presence, membersChanged, joined, unrecovered, left } = this;
    return [messages, presence, membersChanged, joined, unrecovered, left].some(({ heard }) => heard);
  }

  /** See `Room.join`. */
  join(options?: JoinOptions): Promise<Joined> {
    const answer = this.#begin(options);
    this.#awaited ||= !this.#inside;
    return answer;
  }

  /** As `join`, but nobody waits for the answer: a refusal comes as `left`, or else as an error of the client. */
  joinUnasked(): void {
    if (this.#link.isClosed()) this.#link.waits(this);
    else this.#begin().catch(ignored);
  }

  leave(): void {
    this.#statement.forget();
    if (this.#answer === undefined) {
      this.#resume.forget();
      this.#link.ended(this, undefined);
      return;
    }
    this.#write({ type: 'leave', ref: this.#link.nextRef() });
    this.#forget(new CrosspodError('left', `the room ${this.room} was left before the join was answered`));
  }

  /** See `Room.setPresence`. */
  setPresence(status: Status, meta?: object): void {
    this.#statement.say(status, meta);
    this.#sendStatus();
  }

  /** Joins, or resumes after the last message received. The client calls it whenever the line comes up. */
  enter(): void {
    this.#inside = false;
    this.#askToEnter();
  }

  /** Takes in a frame of the server that names this room. */
  receive(frame: Frame): void {
    if (frame.event === 'joined' && frame.type === 'system') {
      if (frame.ref === this.#joinRef) this.#enter(frame.data as Joined);
    } else if (this.#inside) this.#hear(frame);
  }

  /** Whether it was this room's join, or its status, that the server refused. */
  refused(ref: string, error: CrosspodError): boolean {
    const delay = retryDelayMs(error);
    const { clock } = this.#link;
    if (ref === this.#joinRef) {
      if (delay === undefined) this.#keptOut(error);
      else this.#joinTimer = clock.setTimeout(() => this.#askToEnter(), delay);
    } else if (ref === this.#statusRef) {
      if (delay === undefined) this.#link.report(error);
      else this.#statusTimer = clock.setTimeout(() => this.#sendStatus(), delay);
    } else {
      return false;
    }
    return true;
  }

  /** The client is closed: no answer will come. Where it connects again, the place in the room is the same. */
  close(error: CrosspodError): void {
    this.#end(error);
    this.#link.waits(this);
  }

  /** The client connects again. */
  reopen(): void {
    this.#begin(this.#options).catch(ignored);
  }

  /** Another user has come: the one before is nobody's business. */
  startAnew(): void {
    this.#statement.forget();
    this.#resume.forget();
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

  #askToEnter(): void {
    this.#link.clock.clearTimeout(this.#joinTimer);
    this.#joinRef = this.#link.nextRef();
    const { position } = this.#resume;
    const { history, members } = this.#options;
    const from = position === undefined ? { history } : { last_id: position };
    this.#write({ type: 'join', ...from, members, ref: this.#joinRef });
  }

  #enter(joined: Joined): void {
    const isFirst = this.#resume.position === undefined;
    this.#resume.joined(joined);
    this.#historyOwed = isFirst && joined.reason === 'unavailable' && this.#options.history !== undefined;
    if (this.#historyOwed) this.#resume.owed();
    this.#inside = true;
    this.#awaited = false;
    this.#joinRef = undefined;
    this.#listed(joined.count, joined.members ?? []);
    this.#answer?.resolve(joined);
    this.joined.emit(joined);
    this.#tellMembers();
    this.#gap(joined);
    this.#sendStatus();
  }

  #hear(frame: Frame): void {
    if (frame.type === 'system') this.#system(frame);
    else if (frame.type === 'presence') this.#presenceOf(frame);
    else if (frame.type === 'chat' || frame.type === 'notification') {
      const message = frame as Message;
      if (this.#resume.received(message)) this.messages.emit(message);
    }
  }

  #system({ event, ref, data }: Frame): void {
    if (event === 'recovered') this.#recovered(data as Joined);
    else if (event === 'left' && ref === undefined) this.#takenOut();
    else if (event === 'members') {
      const { count, members } = fieldsOf(data);
      this.#listed(numberOr(count, 0), members as readonly Member[] | undefined);
      this.#tellMembers();
    }
  }

  #takenOut(): void {
    const error = new CrosspodError('left', `the server ended the membership of ${this.room}`);
    if (!this.left.heard) this.#link.report(error);
    this.#forget(error);
    this.left.emit(undefined);
  }

  #keptOut(error: CrosspodError): void {
    if (!this.left.heard && !this.#awaited) this.#link.report(error);
    this.#forget(error);
    this.left.emit(error);
  }

  #recovered(recovery: Joined): void {
    this.#resume.replays(recovery.replayed ?? 0);
    this.#gap(recovery);
    // Asked for again, unless it would come behind what was said since.
    if (this.#historyOwed && this.#inside && this.#resume.position === undefined) this.#askToEnter();
    this.#historyOwed = false;
  }

  #gap({ recovered, reason = 'unknown_position', replayed = 0 }: Joined): void {
    if (recovered === false && this.#inside) this.unrecovered.emit({ reason, replayed });
  }

  #presenceOf(frame: Frame): void {
    const member = this.members.apply(frame.data);
    if (member === undefined) return;
    if (member.user_id === this.#link.userId()) this.#statement.told(member);
    this.presence.emit(member);
    this.#tellMembers();
  }

  #listed(count: number, members: readonly Member[] | undefined): void {
    this.members.replace(count, members);
    const own = members?.find(({ user_id: user }) => user === this.#link.userId());
    if (own !== undefined) this.#statement.listed(own);
  }

  #tellMembers(): void {
    if (this.#inside) this.membersChanged.emit(this.members.list, this.members.count);
  }

  #sendStatus(): void {
    this.#link.clock.clearTimeout(this.#statusTimer);
    const { current } = this.#statement;
    if (current === undefined || !this.#inside) return;
    this.#statusRef = this.#link.nextRef();
    this.#write({ type: 'presence', data: current, ref: this.#statusRef });
  }

  #write(frame: { readonly ref: string; readonly [field: string]: unknown }): void {
    this.#link.write(JSON.stringify({ ...frame, room: this.room }), frame.ref);
  }

  #forget(why: CrosspodError): void {
    this.#end(why);
    this.startAnew();
  }

  #end(why: CrosspodError): void {
    const { clock } = this.#link;
    clock.clearTimeout(this.#joinTimer);
    clock.clearTimeout(this.#statusTimer);
    this.#link.ended(this, this.#joinRef);
    // Whoever does not wait for the join (it is optional) must not see an unhandled rejection for it.
    this.#answer?.promise.catch(ignored);
    this.#answer?.reject(why);
    this.#answer = this.#joinRef = this.#statusRef = undefined;
    this.#awaited = this.#historyOwed = false;
    const had = this.members.count;
    this.members.clear();
    if (had > 0) this.#tellMembers();
    this.#inside = false;
  }
}

function ignored(): void {}
