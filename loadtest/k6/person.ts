import http from 'k6/http';
import { clearInterval, setInterval } from 'k6/timers';
import { Client } from './client.ts';
import type { Frame } from './frame.ts';
import type { Settings } from './settings.ts';

const PATIENCE_MS = 5_000;
const LOOK_MS = 10;

/** A client that keeps what it is told, for scripts that go step by step. */
export class Person {
  readonly user: string;
  readonly client: Client;
  readonly messages: Frame[] = [];
  readonly presence: Frame[] = [];
  readonly joined: Frame[] = [];
  readonly errors: Frame[] = [];
  /** Ids by ref. */
  readonly acks = new Map<string, string | undefined>();

  constructor(user: string, settings: Settings) {
    this.user = user;
    this.client = new Client({
      settings,
      user,
      jar: new http.CookieJar(),
      watcher: {
        onMessage: (frame) => void this.messages.push(frame),
        onPresence: (frame) => void this.presence.push(frame),
        onJoined: (frame) => void this.joined.push(frame),
        onError: (frame) => void this.errors.push(frame),
        onAck: (ref, id) => void this.acks.set(ref, id),
      },
    });
  }

  /** What it heard, in order. */
  get heard(): unknown[] {
    return this.messages.map(({ data }) => data?.['n']);
  }
}

/** Waits until the condition holds: true; false where it does not within five seconds. */
export function until(condition: () => boolean): Promise<boolean> {
  const deadline = Date.now() + PATIENCE_MS;
  return new Promise((resolve) => {
    const looking = setInterval(() => {
      const holds = condition();
      if (!holds && Date.now() < deadline) return;
      clearInterval(looking);
      resolve(holds);
    }, LOOK_MS);
  });
}
