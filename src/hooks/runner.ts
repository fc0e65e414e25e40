import type {
  Arrival,
  ArrivalDecision,
  CallDecision,
  ConnectionView,
  HookDecision,
  Hooks,
  JoinDecision,
  Submission,
} from '../core/ports/hooks.ts';
import { readAnswer, readJoinGrant, readResult, readTtlMs, WrongAnswer } from '../core/base/answers.ts';
import { type Rejection, rejection } from '../protocol/error-codes.ts';
import { HOOK_NAMES, type HookArrival, type HookConnection, type HooksModule } from './types.ts';
import { hookMessageOf, decisionOf, rejectionOf } from './decision.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Json } from '../protocol/json.ts';
import type { Log } from '../core/ports/log.ts';
import { JoinAnswers } from '../core/base/join-answers.ts';
import { count } from '../core/base/tally.ts';
import { traceOf } from './trace-of.ts';

/** The time limit of one call of a hook. */
export const TIME_LIMIT_MS = 1_000;

export interface HookRunnerContext {
  readonly clock: Clock;
  readonly log: Log;
}

/** What hooks did since the start. */
export interface HookFigures {
  replaced: number;
  suppressed: number;
  /** Refusals, by hook. */
  readonly refused: Map<string, number>;
  /** Exceptions, invalid answers and answers that came too late, by hook. */
  readonly failed: Map<string, number>;
}

/** The identity of a caller without a connection, for the order of its calls. */
type Caller = Pick<ConnectionView, 'id' | 'userId'>;

/** Calls the hooks of a module. Each call has a result within the time limit, even if the hook throws or hangs. */
export class HookRunner implements Hooks {
  readonly identifies = false;
  readonly passedHeaders = undefined;
  readonly left = undefined;
  /** A hook sees each repetition: it may keep count. */
  readonly decidesOnce = false;
  readonly figures: HookFigures;
  readonly joining: Hooks['joining'];
  readonly publishing: Hooks['publishing'];
  readonly calling: Hooks['calling'];
  readonly #module: HooksModule;
  readonly #context: HookRunnerContext;
  readonly #answers: JoinAnswers;
  /** The latest running call of each connection; the calls of one connection run one after the other. */
  readonly #running = new Map<string, Promise<unknown>>();

  constructor(module: HooksModule, context: HookRunnerContext) {
    this.#module = module;
    this.#context = context;
    this.#answers = new JoinAnswers(context.clock);
    this.figures = { replaced: 0, suppressed: 0, refused: zeros(module), failed: zeros(module) };
    if (module.onJoin !== undefined) this.joining = (who, room) => this.#join(who, room);
    if (module.onMessage !== undefined) this.publishing = (who, what) => this.#decide(who, what);
    if (module.onCall !== undefined) this.calling = (who, method, data) => this.#answer(who, method, data);
  }

  /** A hook learns of connections and requests, not of questions about them. */
  async connecting({ occasion, id, userId }: Arrival): Promise<ArrivalDecision> {
    const { onConnect } = this.#module;
    const allowed = { kind: 'allow', grant: {} } as const;
    if (onConnect === undefined || occasion === 'explain' || occasion === 'auth') return allowed;
    const who = { id, userId, rooms: [] };
    return this.#call<ArrivalDecision>(
      'onConnect',
      who,
      () => onConnect(frozen(who)),
      () => allowed,
      refused,
    );
  }

  disconnected(who: ConnectionView, code: number): void {
    const { onDisconnect } = this.#module;
    if (onDisconnect === undefined) return;
    const run = (): unknown =>
      this.#call('onDisconnect', who, () => onDisconnect(frozen(who), { code }), asIs, asIs);
    // onMessage may still be running for this connection.
    const before = this.#running.get(keyOf(who));
    const work = before === undefined ? run() : before.then(run);
    if (work instanceof Promise) this.#remember(who, work);
  }

  /** Resolves when no hook runs any more. The time limit of each call bounds this. */
  async stop(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  #join(who: ConnectionView, room: string): JoinDecision | Promise<JoinDecision> {
    const known = this.#answers.find(who, room);
    if (known !== undefined) return known;
    const read = (answer: unknown): JoinDecision => {
      if (answer === undefined) return { kind: 'allow', grant: {} };
      const decision = readAnswer<JoinDecision>(answer, 'hook', (fields) => ({
        kind: 'allow',
        grant: readJoinGrant(fields),
      }));
      this.#answers.keep(who, room, decision, readTtlMs(answer));
      return this.#countedRefusal('onJoin', decision);
    };
    return this.#remembered(
      who,
      this.#call('onJoin', who, () => this.#module.onJoin?.(frozenConnection(who), { room }), read, refused),
    );
  }

  async #answer(who: ConnectionView, method: string, data: Json): Promise<CallDecision> {
    const read = (answer: unknown): CallDecision => {
      if (answer === undefined || answer === null) return { kind: 'unknown' };
      return this.#countedRefusal('onCall', readAnswer<CallDecision>(answer, 'hook', readResult));
    };
    const call = (): unknown =>
      this.#module.onCall?.(frozenConnection(who), { method, data: JSON.parse(data) as unknown });
    return this.#remembered(who, this.#call('onCall', who, call, read, refused));
  }

  #decide(who: ConnectionView, what: Submission): HookDecision | Promise<HookDecision> {
    const decision = this.#call<HookDecision>(
      'onMessage',
      who,
      () => this.#module.onMessage?.(frozenConnection(who), hookMessageOf(what)),
      (answer) => this.#counted(decisionOf(answer, what), what),
      (why) => ({ kind: 'refuse', rejection: why }),
    );
    return this.#remembered(who, decision);
  }

  #counted(decision: HookDecision, what: Submission): HookDecision {
    if (decision.kind === 'suppress') this.figures.suppressed += 1;
    if (decision.kind === 'publish' && decision.content !== what) this.figures.replaced += 1;
    return decision;
  }

  #countedRefusal<Decision extends { readonly kind: string }>(
    hook: keyof HooksModule,
    decision: Decision,
  ): Decision {
    if (decision.kind === 'refuse') count(this.figures.refused, hook);
    return decision;
  }

  /** Never throws or rejects. Returns synchronously if the hook does. */
  #call<Answer>(
    hook: keyof HooksModule,
    who: Caller,
    call: () => unknown,
    read: (answer: unknown) => Answer,
    refuse: (why: Rejection) => Answer,
  ): Answer | Promise<Answer> {
    const failed = (error: unknown): Answer => refuse(this.#failed(hook, who, error));
    try {
      const given = call();
      return isThenable(given) ? this.#inTime(given).then(read).catch(failed) : read(given);
    } catch (error) {
      return failed(error);
    }
  }

  #inTime(work: PromiseLike<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const late = new WrongAnswer(`no answer within ${TIME_LIMIT_MS} ms`);
      const cancel = this.#context.clock.after(TIME_LIMIT_MS, () => reject(late));
      void Promise.resolve(work).then(resolve, reject).finally(cancel);
    });
  }

  #failed(hook: keyof HooksModule, who: Caller, error: unknown): Rejection {
    const refusal = attempt(() => rejectionOf(error));
    count(refusal === undefined ? this.figures.failed : this.figures.refused, hook);
    if (refusal !== undefined) return refusal;
    const trace = attempt(() => traceOf(error));
    this.#context.log.error({ hook, connection: who.id, ...trace }, 'a hook failed');
    return rejection('internal');
  }

  #remembered<Decision>(who: Caller, decision: Decision | Promise<Decision>): Decision | Promise<Decision> {
    if (decision instanceof Promise) this.#remember(who, decision);
    return decision;
  }

  #remember(who: Caller, work: Promise<unknown>): void {
    const key = keyOf(who);
    this.#running.set(key, work);
    void work.finally(() => {
      if (this.#running.get(key) === work) this.#running.delete(key);
    });
  }
}

/** Requests over HTTP have no connection. No connection id contains a blank. */
function keyOf({ id, userId }: Caller): string {
  return id ?? `user ${userId}`;
}

function refused(why: Rejection): { kind: 'refuse'; by: 'hook'; rejection: Rejection } {
  return { kind: 'refuse', by: 'hook', rejection: why };
}

/** Counters begin at 0: Prometheus does not see the first increase of a series that begins with it. */
function zeros(module: HooksModule): Map<string, number> {
  return new Map(HOOK_NAMES.filter((hook) => module[hook] !== undefined).map((hook) => [hook, 0]));
}

function asIs<T>(value: T): T {
  return value;
}

function frozen({ id, userId, rooms }: ConnectionView): HookArrival {
  return Object.freeze({ id, userId, rooms: Object.freeze([...rooms]) });
}

/** A connection that is accepted has a user. */
function frozenConnection(who: ConnectionView): HookConnection {
  return frozen(who) as HookConnection;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** The getters of a thrown object may throw too. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
