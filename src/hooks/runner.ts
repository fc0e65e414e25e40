import type { ConnectionView, HookFigures, Hooks, Submission, HookDecision } from '../core/ports/hooks.ts';
import { type Rejection, rejection } from '../protocol/error-codes.ts';
import { rejectionOf, hookMessageOf, decisionOf, WrongAnswer } from './decision.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { HooksModule } from './types.ts';
import type { Log } from '../core/ports/log.ts';
import { count } from '../core/base/tally.ts';

/** The time limit of one call of a hook. */
export const TIME_LIMIT_MS = 1_000;

export interface HookRunnerContext {
  readonly clock: Clock;
  readonly log: Log;
}

/** Calls the hooks of a module. Each call has a result within the time limit, even if the hook throws or hangs. */
export class HookRunner implements Hooks {
  readonly figures: HookFigures;
  readonly publishing: Hooks['publishing'];
  readonly #module: HooksModule;
  readonly #context: HookRunnerContext;
  /** The latest running call of each connection; the calls of one connection run one after the other. */
  readonly #running = new Map<string, Promise<unknown>>();

  constructor(module: HooksModule, context: HookRunnerContext) {
    this.#module = module;
    this.#context = context;
    this.figures = {
      replaced: 0,
      suppressed: 0,
      refused: zeros(module),
      failed: zeros(module),
    };
    if (module.onMessage !== undefined) this.publishing = (who, what) => this.#decide(who, what);
  }

  async connecting(who: ConnectionView): Promise<Rejection | undefined> {
    const { onConnect } = this.#module;
    if (onConnect === undefined) return undefined;
    const accept = (): undefined => undefined;
    return this.#call('onConnect', who, () => onConnect(frozen(who)), accept, asIs);
  }

  disconnected(who: ConnectionView, code: number): void {
    const { onDisconnect } = this.#module;
    if (onDisconnect === undefined) return;
    const run = (): unknown =>
      this.#call('onDisconnect', who, () => onDisconnect(frozen(who), { code }), asIs, asIs);
    // onMessage may still be running for this connection.
    const before = this.#running.get(who.id);
    const work = before === undefined ? run() : before.then(run);
    if (work instanceof Promise) this.#remember(who.id, work);
  }

  /** Resolves when no hook runs any more. The time limit of each call bounds this. */
  async stop(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  #decide(who: ConnectionView, what: Submission): HookDecision | Promise<HookDecision> {
    const decision = this.#call<HookDecision>(
      'onMessage',
      who,
      () => this.#module.onMessage?.(frozen(who), hookMessageOf(what)),
      (answer) => this.#counted(decisionOf(answer, what), what),
      (why) => ({ kind: 'refuse', rejection: why }),
    );
    if (decision instanceof Promise) this.#remember(who.id, decision);
    return decision;
  }

  #counted(decision: HookDecision, what: Submission): HookDecision {
    if (decision.kind === 'suppress') this.figures.suppressed += 1;
    if (decision.kind === 'publish' && decision.content !== what) this.figures.replaced += 1;
    return decision;
  }

  /** Never throws or rejects. Returns synchronously if the hook does. */
  #call<Answer>(
    hook: keyof HooksModule,
    who: ConnectionView,
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

  #failed(hook: keyof HooksModule, who: ConnectionView, error: unknown): Rejection {
    const refusal = attempt(() => rejectionOf(error));
    count(refusal === undefined ? this.figures.failed : this.figures.refused, hook);
    if (refusal !== undefined) return refusal;
    const trace = attempt(() => traceOf(error));
    this.#context.log.error({ hook, connection: who.id, ...trace }, 'a hook failed');
    return rejection('internal');
  }

  #remember(id: string, work: Promise<unknown>): void {
    this.#running.set(id, work);
    void work.finally(() => {
      if (this.#running.get(id) === work) this.#running.delete(id);
    });
  }
}

/** Counters begin at 0: Prometheus does not see the first increase of a series that begins with it. */
function zeros(module: HooksModule): Map<string, number> {
  const hooks = ['onConnect', 'onMessage', 'onDisconnect'] as const;
  return new Map(hooks.filter((hook) => module[hook] !== undefined).map((hook) => [hook, 0]));
}

function asIs<T>(value: T): T {
  return value;
}

function frozen({ id, userId, rooms }: ConnectionView): ConnectionView {
  return Object.freeze({ id, userId, rooms: Object.freeze([...rooms]) });
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

/** The place of the error without its message, which may quote what a client sent. */
function traceOf(error: unknown): object {
  if (error instanceof WrongAnswer) return { reason: error.message };
  if (!(error instanceof Error)) return { reason: `threw ${typeof error}` };
  const { message, name, stack = '' } = error;
  const start = stack.indexOf(message);
  const lines = start === -1 ? [] : stack.slice(start + message.length).split('\n');
  return {
    reason: `threw ${name}`,
    at: lines
      .map((line) => line.trim())
      .filter(Boolean)
      .slice(0, 5),
  };
}
