import type { Frame, Member } from './frame.ts';

/** Who is in a room, as one member is told. */
export class View {
  /** The number that each said last. */
  readonly #numbers = new Map<string, number>();
  readonly #onNews: (saidAt: number) => void;

  /** `onNews` is called with the time at which something was said that is new here. */
  constructor(onNews: (saidAt: number) => void) {
    this.#onNews = onNews;
  }

  apply({ type, data }: Frame): void {
    if (type === 'presence') {
      if (data !== undefined) this.#tell(data);
    } else if (data?.members !== undefined) {
      this.#numbers.clear();
      for (const member of data.members)
        this.#numbers.set(member.user_id ?? '', Number(member.meta?.['n'] ?? 0));
    }
  }

  has(user: string): boolean {
    return this.#numbers.has(user);
  }

  numberOf(user: string): number | undefined {
    return this.#numbers.get(user);
  }

  #tell({ user_id: user = '', status, meta }: Member): void {
    if (status === 'offline') {
      this.#numbers.delete(user);
      return;
    }
    const number = Number(meta?.['n'] ?? 0);
    const saidAt = meta?.['at'];
    if (typeof saidAt === 'number' && number > (this.#numbers.get(user) ?? 0)) this.#onNews(saidAt);
    this.#numbers.set(user, number);
  }
}
