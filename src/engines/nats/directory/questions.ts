import type { Answers } from '../../../core/ports/directory.ts';
import type { NatsBackbone } from '../connection/backbone.ts';
import { Questions, type Recipients } from '../../shared/questions.ts';
import { Unavailable } from '../../shared/unavailable.ts';
import { readEnvelope, writeAnswer, writeQuestion } from '../../shared/envelope.ts';

/** Questions between pods. All pods get a question on one subject; each pod has a subject for answers. */
export class NatsQuestions {
  readonly #backbone: NatsBackbone;
  readonly questions: Questions;

  constructor(backbone: NatsBackbone) {
    this.#backbone = backbone;
    this.questions = new Questions(backbone);
    const { link, names, pod } = backbone;
    link.subscribe(names.subject('questions', 'ask'), ({ data }) => void this.#takeQuestion(data));
    link.subscribe(names.subject('questions', 'answer', pod), ({ data }) => this.#takeAnswer(data));
  }

  ask(question: string, isEnough?: (answer: string) => boolean): Promise<Answers> {
    return this.questions.ask(question, (id) => this.#send(id, question), isEnough);
  }

  async #send(id: number, question: string): Promise<Recipients> {
    const { leases, link, names, pod } = this.#backbone;
    const pods = await leases.pods();
    pods.delete(pod);
    if (pods.size > 0) link.publish(names.subject('questions', 'ask'), writeQuestion(pod, id, question));
    return { pods, unreached: 0 };
  }

  async #takeQuestion(data: Uint8Array): Promise<void> {
    const envelope = readEnvelope(Buffer.from(data));
    const { link, names, pod } = this.#backbone;
    if (envelope?.kind !== 'question' || envelope.origin === pod) return;
    const { origin, id, question } = envelope;
    const reply = await this.questions.answer(question);
    const subject = names.subject('questions', 'answer', origin);
    try {
      const text = writeAnswer(pod, id, reply);
      // What is too large for NATS is no answer.
      const isTooLarge = Buffer.byteLength(text) > link.payload.most;
      link.publish(subject, isTooLarge ? writeAnswer(pod, id, 'unable') : text);
    } catch (error) {
      // The pod that asked does not wait longer than two seconds.
      if (!(error instanceof Unavailable)) throw error;
    }
  }

  #takeAnswer(data: Uint8Array): void {
    const envelope = readEnvelope(Buffer.from(data));
    if (envelope?.kind === 'answer') this.questions.take(envelope.id, envelope.origin, envelope.reply);
  }
}
