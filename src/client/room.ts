import { Emitter } from './emitter.ts';
import { CrosspodError, retryDelayMs } from './errors.ts';
import { Members } from './members.ts';
import type { Clock } from './platform.ts';
import { ResumePoint } from './resume-point.ts';
import { errorOf, fieldsOf, numberOr } from './wire.ts';
import type { Frame, Joined, Member, Message, Status, UnrecoveredReason } from './wire.ts';

export interface RoomEvents {
  /** A message, once each: history and what was missed first, in order. */
  message: [message: Message];
  /** Somebody came, changed or left (`status` is `offline`). */
  presence: [member: Member];
  /** The list or the number of members changed. */
  members: [members: readonly Member[], count: number];
  /** After every join, those that follow a reconnect included. */
  joined: [joined: Joined];
  /** Messages between the last one received and the next ones are no longer kept. */
  unrecovered: [gap: { readonly reason: UnrecoveredReason; readonly replayed: number }];
  /** The server took this client out of the room, or does not let it in (again). */
  left: [error: CrosspodError | undefined];
}

export interface JoinOptions {
  /** How many of the room's last messages to bring. Not asked for again after a reconnect, which resumes. */
  readonly history?: number;
}

/** What a room needs of its client. */
export interface RoomLink {
  readonly clock: Clock;
  isClosed(): boolean;
  nextRef(): string;
  write(frame: object): boolean;
  publish(frame: object): Promise<string>;
}

/** One room; made by `client.room(name)`. */
export class Room {
  readonly name: string;
  readonly #link: RoomLink;
  readonly #events = new Emitter<RoomEvents>();
  readonly #members = new Members();
  readonly #resume = new ResumePoint();
  #options: JoinOptions = {};
  /** Set from `join` to `leave`; settled by the first answer. */
  #membership: PromiseWithResolvers<Joined> | undefined;
  #joinRef: string | undefined;
  #presence: { readonly status: Status; readonly meta: unknown } | undefined;
  #timer: unknown;

  constructor(name: string, link: RoomLink) {
    this.name = name;
    this.#link = link;
  }

  readonly on: Emitter<RoomEvents>['on'] = (name, listener) => this.#events.on(name, listener);

  /** The members as last heard; while the line is down, those from before. */
  get members(): readonly Member[] {
    return this.#members.list;
  }

  /**
   * Enters the room and stays in it through every reconnect until `leave`. Resolves when the server has answered,
   * which may take as long as the connection does; rejects with a CrosspodError when it refuses.
   */
  join(options: JoinOptions = {}): Promise<Joined> {
    if (this.#link.isClosed()) return Promise.reject(new CrosspodError('closed', 'the client is closed'));
    if (this.#membership === undefined) {
      this.#membership = Promise.withResolvers<Joined>();
      this.#options = options;
      this.enter();
    }
    return this.#membership.promise;
  }

  /**
   * Publishes any JSON. Resolves with the message's id; through a lost connection it is sent again and still
   * arrives once. Rejects with a CrosspodError (`code`) when the server or the client refuses it.
   */
  send(data: unknown): Promise<string> {
    return this.#link.publish({ type: 'chat', room: this.name, data });
  }

  /** How the others see this user here, also after a reconnect. */
  setPresence(status: Status, meta?: unknown): void {
    this.#presence = { status, meta };
    this.#sendPresence();
  }

  leave(): void {
    if (this.#membership === undefined) return;
    this.#link.write({ type: 'leave', room: this.name, ref: this.#link.nextRef() });
    this.#forget(new CrosspodError('left', `the room ${this.name} was left before the join was answered`));
  }

  /** Joins, or resumes after the last message received. The client calls it whenever the line comes up. */
  enter(): void {
    if (this.#membership === undefined) return;
    this.#link.clock.clearTimeout(this.#timer);
    this.#joinRef = this.#link.nextRef();
    const { position } = this.#resume;
    const from = position === undefined ? this.#options : { last_id: position };
    this.#link.write({ type: 'join', room: this.name, ...from, ref: this.#joinRef });
  }

  /** Takes in a frame of the server that names this room. */
  receive(frame: Frame): void {
    if (this.#membership === undefined) return;
    if (frame.type === 'system') this.#system(frame);
    else if (frame.type === 'presence') this.#presenceOf(frame);
    else if (frame.type === 'chat' || frame.type === 'notification') {
      const message = frame as Message;
      if (this.#resume.received(message)) this.#events.emit('message', message);
    }
  }

  /** Whether it was this room's join that the server refused. */
  refused(frame: Frame): boolean {
    if (this.#joinRef === undefined || frame.ref !== this.#joinRef) return false;
    const error = errorOf(frame);
    const delay = retryDelayMs(error);
    if (delay === undefined) {
      this.#forget(error);
      this.#events.emit('left', error);
    } else {
      this.#timer = this.#link.clock.setTimeout(() => this.enter(), delay);
    }
    return true;
  }

  /** The client is closed: no answer will come. */
  close(error: CrosspodError): void {
    if (this.#membership !== undefined) this.#forget(error);
  }

  #system(frame: Frame): void {
    if (frame.event === 'joined' && frame.ref === this.#joinRef) this.#joined(frame.data as Joined);
    else if (frame.event === 'recovered') this.#gap(frame.data as Joined);
    else if (frame.event === 'left' && frame.ref === undefined) {
      this.#forget(new CrosspodError('left', `the server ended the membership of ${this.name}`));
      this.#events.emit('left', undefined);
    } else if (frame.event === 'members') {
      this.#members.recount(numberOr(fieldsOf(frame.data)['count'], 0));
      this.#membersChanged();
    }
  }

  #joined(joined: Joined): void {
    this.#resume.joined(joined);
    this.#members.replace(joined);
    this.#membership?.resolve(joined);
    this.#events.emit('joined', joined);
    this.#membersChanged();
    this.#gap(joined);
    this.#sendPresence();
  }

  /** While the history cannot be read nothing is known to be missing; a `recovered` event follows. */
  #gap({ recovered, reason = 'unknown_position', replayed = 0 }: Joined): void {
    if (recovered === false && reason !== 'unavailable')
      this.#events.emit('unrecovered', { reason, replayed });
  }

  #presenceOf(frame: Frame): void {
    const member = this.#members.apply(frame.data);
    if (member === undefined) return;
    this.#events.emit('presence', member);
    this.#membersChanged();
  }

  #membersChanged(): void {
    this.#events.emit('members', this.#members.list, this.#members.count);
  }

  #sendPresence(): void {
    if (this.#presence === undefined || this.#membership === undefined) return;
    this.#link.write({ type: 'presence', room: this.name, data: this.#presence });
  }

  #forget(why: CrosspodError): void {
    this.#link.clock.clearTimeout(this.#timer);
    // Whoever does not wait for the join (it is optional) must not see an unhandled rejection for it.
    this.#membership?.promise.catch(() => {});
    this.#membership?.reject(why);
    this.#membership = this.#joinRef = this.#presence = undefined;
    this.#resume.forget();
    this.#members.clear();
  }
}
