import type { DirectorySource, Occupied } from '../../../core/ports/directory.ts';
import { ANSWER_MS } from '../../shared/terms.ts';
import { natsUnavailable } from '../connection/answers.ts';
import type { NatsBackbone } from '../connection/backbone.ts';
import { roomsOf } from '../../shared/local-rooms.ts';

/** One answer has at most so many rooms, as far as they fit. For more the asking pod asks again. */
const PAGE = 5_000;
/** The most bytes of one room in an answer. */
const ROOM_BYTES = 180;

/** Asks for a page of rooms. */
interface Question {
  readonly id: number;
  readonly pod: string;
  readonly prefix: string;
  readonly after: string;
  readonly limit: number;
}

interface Answer {
  readonly id: number;
  readonly pod: string;
  /** The pod may have more rooms after these. */
  readonly isCut: boolean;
  readonly rooms: readonly Occupied[];
}

interface Asked {
  readonly awaited: Set<string>;
  readonly answers: Answer[];
  readonly done: () => void;
}

/** The rooms of all pods. Each pod is asked for its own. */
export class NatsRooms {
  readonly #backbone: NatsBackbone;
  readonly #source: () => DirectorySource | undefined;
  readonly #asked = new Map<number, Asked>();
  #questions = 0;

  constructor(backbone: NatsBackbone, source: () => DirectorySource | undefined) {
    this.#backbone = backbone;
    this.#source = source;
    const { link, names, pod } = backbone;
    link.subscribe(names.subject('rooms', 'ask'), ({ data }) =>
      this.#answer(readJson(data) as Question | undefined),
    );
    link.subscribe(names.subject('rooms', 'answer', pod), ({ data }) =>
      this.#take(readJson(data) as Answer | undefined),
    );
  }

  /** As `Directory.rooms`. Raises Unavailable, also if a pod does not answer. */
  async page(prefix: string, after: string, limit: number): Promise<Occupied[]> {
    const rooms: Occupied[] = [];
    for (;;) {
      const answers = await this.#ask(prefix, rooms.at(-1)?.room ?? after, limit - rooms.length);
      rooms.push(...merged(answers, limit - rooms.length));
      if (rooms.length >= limit || answers.every(({ isCut }) => !isCut)) return rooms;
    }
  }

  async #ask(prefix: string, after: string, limit: number): Promise<Answer[]> {
    const { leases, link, names, pod } = this.#backbone;
    const awaited = await leases.pods();
    awaited.delete(pod);
    const question = { id: (this.#questions += 1), pod, prefix, after, limit };
    const own = this.#answerTo(question);
    if (awaited.size === 0) return [own];
    link.publish(names.subject('rooms', 'ask'), JSON.stringify(question));
    return [own, ...(await this.#collect(question.id, awaited))];
  }

  #collect(id: number, awaited: Set<string>): Promise<Answer[]> {
    const { clock } = this.#backbone;
    return new Promise((resolve, reject) => {
      const answers: Answer[] = [];
      const cancel = clock.after(ANSWER_MS, () => {
        this.#asked.delete(id);
        reject(natsUnavailable('a pod does not answer'));
      });
      const done = (): void => {
        cancel();
        this.#asked.delete(id);
        resolve(answers);
      };
      this.#asked.set(id, { awaited, answers, done });
    });
  }

  #answer(question: Question | undefined): void {
    const { link, names, pod } = this.#backbone;
    if (question === undefined || question.pod === pod || !link.up) return;
    link.publish(names.subject('rooms', 'answer', question.pod), JSON.stringify(this.#answerTo(question)));
  }

  #answerTo({ id, prefix, after, limit }: Question): Answer {
    const { link, pod } = this.#backbone;
    const most = Math.max(1, Math.min(PAGE, Math.floor(link.payload.most / ROOM_BYTES) - 1));
    const rooms = roomsOf(this.#source(), prefix, after, Math.min(limit, most));
    return { id, pod, isCut: rooms.length === most, rooms };
  }

  #take(answer: Answer | undefined): void {
    const asked = answer === undefined ? undefined : this.#asked.get(answer.id);
    if (asked === undefined || answer === undefined || !asked.awaited.delete(answer.pod)) return;
    asked.answers.push(answer);
    if (asked.awaited.size === 0) asked.done();
  }
}

/**
 * The first rooms of all answers. After the end of an answer that was cut, sums would be incomplete, so none follows.
 */
function merged(answers: readonly Answer[], limit: number): Occupied[] {
  const sums = new Map<string, number>();
  for (const { rooms } of answers)
    for (const { room, connections } of rooms) sums.set(room, (sums.get(room) ?? 0) + connections);
  const ends = answers.flatMap(({ isCut, rooms }) => (isCut ? (rooms.at(-1)?.room ?? []) : []));
  return Array.from(sums, ([room, connections]) => ({ room, connections }))
    .filter(({ room }) => ends.every((end) => room <= end))
    .sort((a, b) => (a.room < b.room ? -1 : 1))
    .slice(0, limit);
}

/** Undefined for what is not JSON. */
function readJson(data: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(data).toString());
  } catch {
    return undefined;
  }
}
