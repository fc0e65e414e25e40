import {
  type Closed,
  Crosspod,
  CrosspodError,
  type CrosspodOptions,
  type Room,
} from '../../src/client/client.ts';
import { Notes } from './notes.ts';

interface Said {
  readonly by: string;
  readonly n: number;
}

export interface PersonOptions extends CrosspodOptions {
  readonly room?: string;
  /** How many of the last messages it wants when it joins. */
  readonly history?: number;
}

/**
 * An application with the client, in one room: it says numbers, and notes everything that it is told. It knows
 * nothing of vitest, so that a process of its own can use it as well.
 */
export class Person extends Notes {
  readonly client: Crosspod;
  readonly room: Room;
  /** How its connections ended, and its attempts at one, in order. */
  readonly ends: Closed[] = [];

  /** `url` is that of a pod, or of what stands before it. */
  constructor(name: string, url: string, { room = 'room', history = 0, ...options }: PersonOptions = {}) {
    super(name);
    const who = options.getToken === undefined ? { userId: name } : {};
    this.client = new Crosspod(`${url}/ws`, { ...who, ...options });
    this.client.onState((state, closed) => {
      if (closed !== undefined) this.ends.push(closed);
      // Told again with every attempt that failed.
      if (state !== (this.states.at(-1) ?? 'connecting')) this.take({ state });
    });
    this.room = this.client.room(room);
    this.room.onMessage(({ data, id, provisional = false }) => {
      const { by, n } = data as Said;
      this.take({ heard: { by, n, id, provisional } });
    });
    if (history > 0) void this.room.join({ history }).catch(() => {});
    this.room.onUnrecovered(({ reason }) => this.take({ gap: reason }));
  }

  /** Says its next number; settles with that, one way or the other, and never rejects. */
  async say(): Promise<void> {
    const n = this.said + 1;
    this.take({ said: n });
    try {
      this.take({ acked: [n, await this.room.send({ by: this.name, n } satisfies Said)] });
    } catch (error) {
      this.take({ refused: [n, error instanceof CrosspodError ? error.code : String(error)] });
    }
  }

  /** Who is in the room as far as it knows. */
  get members(): string[] {
    return this.room.members.map(({ user_id: user }) => user).toSorted();
  }
}
