import type { Answers } from '../../../core/ports/directory.ts';
import type { Backbone } from '../connection/backbone.ts';
import { type Envelope, writeAnswer, writeQuestion } from '../../shared/envelope.ts';
import { ignored } from '../../shared/ignored.ts';
import { Questions, type Recipients } from '../../shared/questions.ts';
import { type Script, scriptsIn } from '../connection/script.ts';

export const ASK: Script = scriptsIn('directory')('ask');

/** Longer than a pod that has stopped keeps its lease. */
const STOPPED_MS = 120_000;

/**
 * Questions between pods by PUBLISH. Each pod has a channel of its own, so Redis says at once which pods got a question:
 * a pod of an earlier release has no such channel, and is not waited for.
 */
export class RedisQuestions {
  readonly #backbone: Backbone;
  readonly questions: Questions;

  constructor(backbone: Backbone) {
    this.#backbone = backbone;
    this.questions = new Questions(backbone);
    backbone.listen((_room, envelope) => this.#take(envelope));
  }

  ask(question: string, isEnough?: (answer: string) => boolean): Promise<Answers> {
    return this.questions.ask(question, (id) => this.#send(id, question), isEnough);
  }

  /** No pod waits for an answer of this one any more. */
  async stop(): Promise<void> {
    this.questions.stop();
    const { keys, pod, shared } = this.#backbone;
    await shared.command((client) => client.set(keys.podStopped(pod), '1', 'PX', STOPPED_MS)).catch(ignored);
  }

  async #send(id: number, question: string): Promise<Recipients> {
    const { keys, pod, shared } = this.#backbone;
    const args = [pod, keys.podChannel(''), keys.podStopped(''), writeQuestion(pod, id, question)];
    const reply = (await shared.call(ASK, [keys.pods], args)) as (string | number)[];
    const pods: string[] = [];
    let unreached = 0;
    for (let at = 0; at < reply.length; at += 2) {
      if (reply[at + 1] === 1) pods.push(String(reply[at]));
      else unreached += 1;
    }
    return { pods, unreached };
  }

  #take(envelope: Envelope): void {
    if (envelope.kind === 'question') void this.#answer(envelope.origin, envelope.id, envelope.question);
    else if (envelope.kind === 'answer') {
      this.questions.take(envelope.id, envelope.origin, envelope.reply);
    }
  }

  async #answer(origin: string, id: number, question: string): Promise<void> {
    const { keys, pod, placement } = this.#backbone;
    const text = writeAnswer(pod, id, await this.questions.answer(question));
    const channel = keys.podChannel(origin);
    // The pod that asked does not wait longer than two seconds.
    await placement.shardOf(channel).publish(channel, text).catch(ignored);
  }
}
