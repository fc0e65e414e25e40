import type {
  Arrival,
  ArrivalDecision,
  CallDecision,
  ConnectionView,
  HookDecision,
  Hooks,
  JoinDecision,
  Submission,
  Undecided,
} from '../core/ports/hooks.ts';
import { callQuestion, connectQuestion, type Event, publishQuestion, roomQuestion } from './questions.ts';
import { Inquiry, type BackendFigures, type InquiryOptions } from './inquiry.ts';
import {
  readAnswer,
  readGrant,
  readJoinGrant,
  readResult,
  readTtlMs,
  WrongAnswer,
} from '../core/base/answers.ts';
import { JoinAnswers } from '../core/base/join-answers.ts';
import type { Json } from '../protocol/json.ts';
import { Leaves } from './leaves.ts';
import type { RoomRule } from '../core/ports/room-rules.ts';
import { readPublication } from './publish-answer.ts';
import { rejection } from '../protocol/error-codes.ts';

export interface BackendOptions extends InquiryOptions {
  /** Whether what the backend did not decide is allowed (BACKEND_ON_FAILURE). */
  readonly allowsOnFailure: boolean;
  /** BACKEND_HEADERS, in lower case. */
  readonly passedHeaders: readonly string[];
}

const FAILED: Undecided = { kind: 'failed' };

/** The operator's backend, which is asked over HTTP. */
export class Backend implements Hooks {
  readonly identifies: boolean;
  readonly passedHeaders: readonly string[];
  readonly joining: Hooks['joining'];
  readonly publishing: Hooks['publishing'];
  readonly decidesOnce: boolean;
  readonly calling: Hooks['calling'];
  readonly left: Hooks['left'];
  readonly #options: BackendOptions;
  readonly #inquiry: Inquiry;
  readonly #answers: JoinAnswers;
  readonly #leaves: Leaves;

  constructor(options: BackendOptions) {
    const { clock, events, passedHeaders, concurrency } = options;
    const asks = (event: Event): boolean => events.includes(event);
    this.#options = options;
    this.#inquiry = new Inquiry(options);
    this.#answers = new JoinAnswers(clock);
    this.#leaves = new Leaves({
      clock,
      most: Math.max(1, Math.floor(concurrency / 4)),
      send: (body) => this.#inquiry.tell('leave', body),
      dropped: (count) => this.#inquiry.count('leave', 'dropped', count),
    });
    this.identifies = asks('connect');
    this.passedHeaders = passedHeaders;
    this.decidesOnce = asks('publish');
    // A rule may leave joins to the backend even if no other join is asked about.
    this.joining = (who, room, rule) => this.#join(who, room, rule, asks('join'));
    if (asks('publish')) this.publishing = (who, what, rule) => this.#publish(who, what, rule);
    if (asks('call')) this.calling = (who, method, data) => this.#call(who, method, data);
    if (asks('leave')) this.left = (who, room, rule) => this.#left(who, room, rule);
  }

  get figures(): BackendFigures {
    return this.#inquiry.figures;
  }

  async connecting(arrival: Arrival): Promise<ArrivalDecision> {
    const unchanged = { kind: 'allow', grant: {} } as const;
    if (!this.identifies) return unchanged;
    const decision = await this.#inquiry.ask<ArrivalDecision>('connect', connectQuestion(arrival), (answer) =>
      readAnswer<ArrivalDecision>(answer, 'backend', (fields) => {
        const grant = readGrant(fields);
        if (arrival.userId !== null && (grant.userId ?? arrival.userId) !== arrival.userId) {
          throw new WrongAnswer('user_id is another user than that of the token');
        }
        return { kind: 'allow', grant };
      }),
    );
    return decision ?? (this.#options.allowsOnFailure ? unchanged : FAILED);
  }

  disconnected(): void {
    // The backend is told of rooms that are left, not of connections.
  }

  /** Tells of the leaves that wait, for five seconds at most. */
  async stop(): Promise<void> {
    await this.#leaves.stop();
    this.#inquiry.close();
  }

  #join(
    who: ConnectionView,
    room: string,
    rule: RoomRule,
    isAsked: boolean,
  ): JoinDecision | Promise<JoinDecision> {
    const decides = rule.join === 'backend';
    if (!decides && !(isAsked && concerns(rule, 'join'))) return { kind: 'allow', grant: {} };
    return this.#answers.find(who, room) ?? this.#askJoin(who, room, decides);
  }

  async #askJoin(who: ConnectionView, room: string, decides: boolean): Promise<JoinDecision> {
    const decision = await this.#inquiry.ask<JoinDecision>(
      'join',
      roomQuestion('join', who, room),
      (answer) => {
        const given = readAnswer<JoinDecision>(answer, 'backend', (fields) => ({
          kind: 'allow',
          grant: readJoinGrant(fields),
        }));
        this.#answers.keep(who, room, given, readTtlMs(answer));
        return given;
      },
    );
    if (decision !== undefined) return decision;
    return this.#options.allowsOnFailure && !decides ? { kind: 'allow', grant: {} } : FAILED;
  }

  #publish(
    who: ConnectionView,
    what: Submission,
    rule: RoomRule | undefined,
  ): HookDecision | Promise<HookDecision> {
    if (rule !== undefined && !concerns(rule, 'publish')) return { kind: 'publish', content: what };
    return this.#askPublish(who, what);
  }

  async #askPublish(who: ConnectionView, what: Submission): Promise<HookDecision> {
    const decision = await this.#inquiry.ask<HookDecision>('publish', publishQuestion(who, what), (answer) =>
      readAnswer<HookDecision>(answer, 'backend', (fields) => readPublication(fields, what)),
    );
    if (decision !== undefined) return decision;
    if (this.#options.allowsOnFailure) return { kind: 'publish', content: what };
    return { kind: 'refuse', rejection: rejection('unavailable') };
  }

  async #call(who: ConnectionView, method: string, data: Json): Promise<CallDecision> {
    const read = (answer: unknown): CallDecision => readAnswer<CallDecision>(answer, 'backend', readResult);
    return (await this.#inquiry.ask<CallDecision>('call', callQuestion(who, method, data), read)) ?? FAILED;
  }

  #left(who: ConnectionView, room: string, rule: RoomRule): void {
    if (concerns(rule, 'leave')) this.#leaves.put(roomQuestion('leave', who, room));
  }
}

/** Whether a room's rule lets the backend be asked this. */
function concerns({ backend }: RoomRule, question: 'join' | 'publish' | 'leave'): boolean {
  return backend === undefined || backend.has(question);
}
