import type {
  Answerer,
  Answers,
  Directory,
  DirectorySource,
  Occupied,
  Load,
} from '../../core/ports/directory.ts';
import { ignored } from '../shared/ignored.ts';
import { roomsOf } from '../shared/local-rooms.ts';

/** The directory of a single pod: its own rooms, and its users' places. */
export class MemoryDirectory implements Directory {
  #source: DirectorySource | undefined;
  #answer: Answerer | undefined;
  /** The connections that hold a place, by user. */
  readonly #places = new Map<string, Set<string>>();

  start(source: DirectorySource, answer: Answerer): Promise<void> {
    this.#source = source;
    this.#answer = answer;
    return Promise.resolve();
  }

  changed(): void {}

  rooms(prefix: string, after: string, limit: number): Promise<Occupied[]> {
    return Promise.resolve(roomsOf(this.#source, prefix, after, limit));
  }

  admit(userId: string, connectionId: string, most: number): Promise<boolean> {
    const places = this.#places.get(userId) ?? new Set();
    if (places.size >= most) return Promise.resolve(false);
    this.#places.set(userId, places.add(connectionId));
    return Promise.resolve(true);
  }

  release(userId: string, connectionId: string): Promise<void> {
    const places = this.#places.get(userId);
    if (places?.delete(connectionId) && places.size === 0) this.#places.delete(userId);
    return Promise.resolve();
  }

  loads(): Promise<readonly Load[]> {
    return Promise.resolve([]);
  }

  async ask(question: string): Promise<Answers> {
    const answer = await this.#answer?.(question).catch(ignored);
    return answer === undefined ? { answers: [], missing: 'silent' } : { answers: [answer] };
  }

  stop(): Promise<void> {
    this.#answer = undefined;
    return Promise.resolve();
  }
}
