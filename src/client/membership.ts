import { CrosspodError, retryDelayMs } from './errors.ts';
import { Members } from './members.ts';
import { Messages } from './messages.ts';
import type { Clock } from './platform.ts';
import { ResumePoint } from './resume-point.ts';
import { Signal } from './signal.ts';
import { errorOf, fieldsOf, numberOr } from './wire.ts';
import type { Frame, Joined, Member, Message, Status, UnrecoveredReason } from './wire.ts';

export interface JoinOptions {
  /** How many of the room's last messages to bring. Not asked for again after a reconnect, which resumes. */
  readonly history?: number;
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
  nextRef(): string;
  write(text: string): boolean;
  /** For a refusal that nobody else hears of. */
  report(error: CrosspodError): void;
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
  #answer: PromiseWithResolvers<Joined> | undefined;
  /** Somebody waits for that answer. */
  #awaited = false;
  #joinRef: string | undefined;
  #status: { readonly status: Status; readonly meta: unknown } | undefined;
  #statusRef: string | undefined;
  #timer: unknown;

  constructor(room: string, link: RoomLink) {
    this.room = room;
    this.#link = link;
  }

  /** See `Room.join`. */
  join(options?: JoinOptions): Promise<Joined> {
    this.#awaited = true;
    return this.#begin(options);
  }

  /** As `join`, but nobody waits for the answer: a refusal comes as `left`, or else as an error of the client. */
  joinUnasked(): void {
    this.#begin().catch(ignored);
  }

  leave(): void {
    if (this.#answer === undefined) return;
    this.#write({ type: 'leave', ref: this.#link.nextRef() });
    this.#forget(new CrosspodError('left', `the room ${this.room} was left before the join was answered`));
  }

  /** See `Room.setPresence`. */
  setPresence(status: Status, meta?: unknown): void {
    // What JSON cannot hold must not come in the way of a later join.
    JSON.stringify(meta);
    this.#status = { status, meta };
    this.#sendStatus();
  }

  /** Joins, or resumes after the last message received. The client calls it whenever the line comes up. */
  enter(): void {
    if (this.#answer === undefined) return;
    this.#link.clock.clearTimeout(this.#timer);
    this.#joinRef = this.#link.nextRef();
    const { position } = this.#resume;
    const from = position === undefined ? this.#options : { last_id: position };
    this.#write({ type: 'join', ...from, ref: this.#joinRef });
  }

  /** Takes in a frame of the server that names this room. */
  receive(frame: Frame): void {
    if (this.#answer === undefined) return;
    if (frame.type === 'system') this.#system(frame);
    else if (frame.type === 'presence') this.#presenceOf(frame);
    else if (frame.type === 'chat' || frame.type === 'notification') {
      const message = frame as Message;
      if (this.#resume.received(message)) this.messages.emit(message);
    }
  }

  /** Whether it was this room's join, or its status, that the server refused. */
  refused(frame: Frame): boolean {
    if (frame.ref === undefined) return false;
    const error = errorOf(frame);
    if (frame.ref === this.#joinRef) {
      if (!this.#retries(error, () => this.enter())) this.#keptOut(error);
    } else if (frame.ref === this.#statusRef) {
      if (!this.#retries(error, () => this.#sendStatus())) this.#link.report(error);
    } else {
      return false;
    }
    return true;
  }

  /** The client is closed: no answer will come. */
  close(error: CrosspodError): void {
    if (this.#answer !== undefined) this.#forget(error);
  }

  /** Whether the same may succeed later; then it is tried. */
  #retries(error: CrosspodError, again: () => void): boolean {
    const delay = retryDelayMs(error);
    if (delay !== undefined) this.#timer = this.#link.clock.setTimeout(again, delay);
    return delay !== undefined;
  }

  #keptOut(error: CrosspodError): void {
    if (!this.left.heard && !this.#awaited) this.#link.report(error);
    this.#forget(error);
    this.left.emit(error);
  }

  #begin(options: JoinOptions = {}): Promise<Joined> {
    if (this.#link.isClosed()) return Promise.reject(new CrosspodError('closed', 'the client is closed'));
    if (this.#answer === undefined) {
      this.#answer = Promise.withResolvers<Joined>();
      this.#options = options;
      this.enter();
    }
    return this.#answer.promise;
  }

  #system(frame: Frame): void {
    if (frame.event === 'joined' && frame.ref === this.#joinRef) this.#enter(frame.data as Joined);
    else if (frame.event === 'recovered') this.#recovered(frame.data as Joined);
    else if (frame.event === 'left' && frame.ref === undefined) {
      this.#forget(new CrosspodError('left', `the server ended the membership of ${this.room}`));
      this.left.emit(undefined);
    } else if (frame.event === 'members') {
      const { count, members } = fieldsOf(frame.data);
      this.members.replace(numberOr(count, 0), members as readonly Member[] | undefined);
      this.#tellMembers();
    }
  }

  #enter(joined: Joined): void {
    this.#resume.joined(joined);
    this.members.replace(joined.count, joined.members ?? []);
    this.#answer?.resolve(joined);
    this.#awaited = false;
    this.joined.emit(joined);
    this.#tellMembers();
    this.#gap(joined);
    this.#sendStatus();
  }

  #recovered(recovery: Joined): void {
    this.#resume.replays(recovery.replayed ?? 0);
    this.#gap(recovery);
  }

  #gap({ recovered, reason = 'unknown_position', replayed = 0 }: Joined): void {
    if (recovered === false) this.unrecovered.emit({ reason, replayed });
  }

  #presenceOf(frame: Frame): void {
    const member = this.members.apply(frame.data);
    if (member === undefined) return;
    this.presence.emit(member);
    this.#tellMembers();
  }

  #write(frame: object): void {
    this.#link.write(JSON.stringify({ ...frame, room: this.room }));
  }

  #tellMembers(): void {
    this.membersChanged.emit(this.members.list, this.members.count);
  }

  #sendStatus(): void {
    if (this.#status === undefined || this.#answer === undefined) return;
    this.#statusRef = this.#link.nextRef();
    this.#write({ type: 'presence', data: this.#status, ref: this.#statusRef });
  }

  #forget(why: CrosspodError): void {
    this.#link.clock.clearTimeout(this.#timer);
    // Whoever does not wait for the join (it is optional) must not see an unhandled rejection for it.
    this.#answer?.promise.catch(ignored);
    this.#answer?.reject(why);
    this.#answer = this.#joinRef = this.#status = this.#statusRef = undefined;
    this.#awaited = false;
    this.#resume.forget();
    if (this.members.count === 0) return;
    this.members.clear();
    this.#tellMembers();
  }
}

function ignored(): void {}
