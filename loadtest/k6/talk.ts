import type { CookieJar } from 'k6/http';
import { clearInterval, setInterval, setTimeout } from 'k6/timers';
import { Client, ownJar, type Watcher } from './client.ts';
import * as figures from './figures.ts';
import type { Frame } from './frame.ts';
import { Ledger } from './ledger.ts';
import { arrivalOf, membersOf, messagesOf, type Plan, roomOf, userOf } from './plan.ts';
import { askPod } from './pods.ts';
import type { Settings } from './settings.ts';

/** Once everything has come, for so long nothing must come again. */
const QUIET_MS = 1_000;
const LOOK_MS = 250;

/** What is published; `pod` is the publisher’s, absent if nobody knows. */
interface Message {
  readonly by: number;
  readonly n: number;
  readonly at: number;
  readonly pod?: string | undefined;
}

/**
 * One virtual user: joins its room, publishes its numbers and looks that every number of every member comes once and
 * in order. Everybody publishes equally many, so each knows how many there must be.
 */
export class Talk {
  readonly #index: number;
  readonly #settings: Settings;
  readonly #plan: Plan;
  readonly #room: string;
  readonly #ledger: Ledger;
  readonly #expected: number;
  readonly #jar: CookieJar;
  readonly #client: Client;
  readonly #sentAt = new Map<string, number>();
  #pod: string | undefined;
  #published = 0;
  #received = 0;
  #openedAt = 0;
  #lostAt: number | undefined;
  #hasJoined = false;

  constructor(index: number, settings: Settings, plan: Plan) {
    this.#index = index;
    this.#settings = settings;
    this.#plan = plan;
    this.#room = roomOf(index, settings, plan);
    const members = membersOf(index, settings);
    this.#ledger = new Ledger(members);
    this.#expected = members.length * messagesOf(settings);
    this.#jar = ownJar();
    const user = userOf(index, plan);
    this.#client = new Client({ settings, user, jar: this.#jar, watcher: this.#watcher() });
  }

  /** Returns at once; the iteration goes on until the socket is closed and the timers are cleared. */
  begin(): void {
    figures.unaccounted.add(1);
    this.#client.join(this.#room);
    setTimeout(() => void this.#connect(), Math.max(0, arrivalOf(this.#settings, this.#plan) - Date.now()));
    const publishing = setInterval(() => this.#publishDue(), this.#tickMs);
    let completeAt: number | undefined;
    const looking = setInterval(() => {
      const now = Date.now();
      if (this.#isComplete) completeAt ??= now;
      const isQuiet = completeAt !== undefined && now >= completeAt + QUIET_MS;
      if (!isQuiet && now < this.#plan.end) return;
      clearInterval(publishing);
      clearInterval(looking);
      this.#account();
      this.#client.close();
    }, LOOK_MS);
  }

  get #tickMs(): number {
    return Math.min(LOOK_MS, Math.max(10, 1_000 / this.#settings.rate / 4));
  }

  get #isComplete(): boolean {
    const hasPublished = this.#published === messagesOf(this.#settings) && this.#client.unacked === 0;
    return hasPublished && this.#received === this.#expected;
  }

  /** The cookie first, so that the socket goes to the pod whose name is known. */
  async #connect(): Promise<void> {
    await this.#learnPod();
    const place = this.#plan.pods.indexOf(this.#pod ?? '');
    if (place >= 0) figures.onPod.add(1, { pod: String(place) });
    this.#openedAt = Date.now();
    this.#client.open();
  }

  async #learnPod(): Promise<void> {
    this.#pod = await askPod(this.#settings, this.#jar);
  }

  #watcher(): Watcher {
    return {
      onMessage: (frame) => this.#receive(frame),
      onJoined: () => this.#joined(),
      onAck: (ref) => {
        const at = this.#sentAt.get(ref);
        this.#sentAt.delete(ref);
        if (at !== undefined) figures.publishToAck.add(Date.now() - at);
      },
      onError: (frame) => figures.errors.add(1, { code: frame.data?.code ?? '' }),
      onUnrecovered: (frame) => figures.unrecovered.add(1, { reason: frame.data?.reason ?? '' }),
      onLost: (code) => {
        this.#lostAt = Date.now();
        figures.reconnects.add(1, { code: String(code ?? 1006) });
      },
      onRefused: ({ status }) => figures.refused.add(1, { status: String(status) }),
      // Who never joined is counted in the end.
      onGivenUp: () => figures.late.add(this.#hasJoined ? 1 : 0),
    };
  }

  #joined(): void {
    const now = Date.now();
    if (this.#lostAt !== undefined) {
      figures.reconnected.add(now - this.#lostAt);
      figures.reconnectedAt.add((now - this.#plan.publishFrom) / 1_000);
      this.#lostAt = undefined;
      void this.#learnPod();
    } else if (!this.#hasJoined) {
      figures.connectToJoined.add(now - this.#openedAt);
      figures.late.add(now > this.#plan.publishFrom ? 1 : 0);
    }
    this.#hasJoined = true;
  }

  /** Everything whose time has come, each at a moment of its own between two ticks of the others. */
  #publishDue(): void {
    const { rate, vus } = this.#settings;
    const elapsed = (Date.now() - this.#plan.publishFrom) / 1_000;
    const due = Math.min(messagesOf(this.#settings), Math.floor(elapsed * rate - this.#index / vus) + 1);
    while (this.#published < due) {
      this.#published += 1;
      const at = Date.now();
      const message: Message = { by: this.#index, n: this.#published, at, pod: this.#pod };
      this.#sentAt.set(this.#client.publish(this.#room, message), at);
      figures.published.add(1);
    }
  }

  #receive({ room, data }: Frame): void {
    const { by, n, at, pod } = data as unknown as Message;
    if (room !== this.#room || !this.#ledger.receive(by, n)) return;
    this.#received += 1;
    const tags = { way: wayFrom(pod, this.#pod) };
    figures.received.add(1, tags);
    figures.publishToReceive.add(Date.now() - at, tags);
  }

  #account(): void {
    const { lost, repeated, disordered } = this.#ledger.account(messagesOf(this.#settings));
    figures.lost.add(lost);
    figures.repeated.add(repeated);
    figures.disordered.add(disordered);
    figures.unacked.add(this.#client.unacked);
    if (!this.#hasJoined) figures.late.add(1);
    figures.unaccounted.add(-1);
    figures.accounted.add(1);
  }
}

/** Whether a message crossed from one pod to another. */
function wayFrom(from: string | undefined, to: string | undefined): string {
  if (from === undefined || to === undefined) return 'unknown';
  return from === to ? 'own' : 'other';
}
