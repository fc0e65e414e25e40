import { ANSWER_MS } from './terms.ts';
import type { Answerer, Answers } from '../../core/ports/directory.ts';
import type { Reply } from './envelope.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Log } from '../../core/ports/log.ts';
import { Unavailable } from './unavailable.ts';

/** The other pods that a question was sent to. */
export interface Recipients {
  readonly pods: Iterable<string>;
  /** Living pods that certainly did not get it. */
  readonly unreached: number;
}

interface Asked {
  /** By pod. */
  readonly replies: Map<string, Reply>;
  /** Undefined until it is known which pods got the question; answers may come before that. */
  recipients: Recipients | undefined;
  readonly isEnough: (answer: string) => boolean;
  readonly done: () => void;
}

/** The questions that this pod has asked the others, and its own answers. How they travel is the engine's matter. */
export class Questions {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #asked = new Map<number, Asked>();
  #serial = 0;
  #answerer: Answerer | undefined;
  #stopped = false;

  constructor({ clock, log }: { readonly clock: Clock; readonly log: Log }) {
    this.#clock = clock;
    this.#log = log;
  }

  start(answerer: Answerer): void {
    this.#answerer = answerer;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** This pod's answer. */
  async answer(question: string): Promise<Reply> {
    if (this.#stopped) return 'stopped';
    try {
      const text = await this.#answerer?.(question);
      return text === undefined ? 'unable' : { text };
    } catch (error) {
      if (!(error instanceof Unavailable))
        this.#log.error({ err: error }, 'a question could not be answered');
      return 'unable';
    }
  }

  /** As `Directory.ask`. `send` sends the question to the other pods under this number; it raises Unavailable. */
  async ask(
    question: string,
    send: (id: number) => Promise<Recipients>,
    isEnough: (answer: string) => boolean = () => false,
  ): Promise<Answers> {
    const own = this.answer(question);
    const others = this.#askOthers(send, isEnough);
    const reply = await own;
    if (typeof reply === 'string') {
      const { answers, missing } = await others;
      return { answers, missing: missing ?? 'silent' };
    }
    if (isEnough(reply.text)) return { answers: [reply.text] };
    const { answers, missing } = await others;
    return { answers: [reply.text, ...answers], ...(missing !== undefined && { missing }) };
  }

  /** Another pod has answered. */
  take(id: number, pod: string, reply: Reply): void {
    const asked = this.#asked.get(id);
    if (asked === undefined || asked.replies.has(pod)) return;
    asked.replies.set(pod, reply);
    if ((typeof reply !== 'string' && asked.isEnough(reply.text)) || isComplete(asked)) asked.done();
  }

  async #askOthers(
    send: (id: number) => Promise<Recipients>,
    isEnough: (answer: string) => boolean,
  ): Promise<Answers> {
    const id = (this.#serial += 1);
    const { promise, resolve: done } = Promise.withResolvers<void>();
    const asked: Asked = { replies: new Map(), recipients: undefined, isEnough, done };
    this.#asked.set(id, asked);
    const cancel = this.#clock.after(ANSWER_MS, done);
    try {
      asked.recipients = await send(id);
      if (!isComplete(asked)) await promise;
      return answersOf(asked);
    } catch (error) {
      if (!(error instanceof Unavailable)) this.#log.error({ err: error }, 'other pods could not be asked');
      return { answers: answersOf(asked).answers, missing: 'unavailable' };
    } finally {
      cancel();
      this.#asked.delete(id);
    }
  }
}

function isComplete({ replies, recipients }: Asked): boolean {
  return recipients !== undefined && Array.from(recipients.pods).every((pod) => replies.has(pod));
}

function answersOf(asked: Asked): Answers {
  const replies = [...asked.replies.values()];
  const answers = replies.flatMap((reply) => (typeof reply === 'string' ? [] : [reply.text]));
  if (answers.some((answer) => asked.isEnough(answer))) return { answers };
  const isWhole = isComplete(asked) && !replies.includes('unable') && asked.recipients?.unreached === 0;
  return isWhole ? { answers } : { answers, missing: 'silent' };
}
