import { ensureStream, UNNAMED_MS } from './connection/streams.ts';
import { GRANT_MS, type Grants } from '../../core/ports/grants.ts';
import type { NatsBackbone } from './connection/backbone.ts';
import { roomToken, textToken } from './connection/names.ts';

const GIVEN = '1';
const TAKEN_BACK = '0';

/** One message for each user and room, which JetStream lets expire. */
export class NatsGrants implements Grants {
  readonly #backbone: NatsBackbone;

  constructor(backbone: NatsBackbone) {
    this.#backbone = backbone;
    const { link, names, replicas } = backbone;
    const plan = {
      name: names.stream('grants'),
      subjects: [names.subject('grants', '*', '*')],
      replicas,
      maxAgeMs: GRANT_MS,
      perSubject: 1,
      duplicatesMs: UNNAMED_MS,
    };
    link.prepare(async (live) => void (await ensureStream(live, plan)));
  }

  give(userId: string, room: string): Promise<void> {
    return this.#write(userId, room, GIVEN);
  }

  takeBack(userId: string, room: string): Promise<void> {
    return this.#write(userId, room, TAKEN_BACK);
  }

  async leftMs(userId: string, room: string): Promise<number> {
    const { link, names } = this.#backbone;
    const query = { last_by_subj: this.#subjectOf(userId, room) };
    const found = await link.call(({ jsm }) => jsm.streams.getMessage(names.stream('grants'), query));
    if (found === null || found.string() !== GIVEN) return 0;
    return Math.max(0, found.time.getTime() + GRANT_MS - link.now());
  }

  async #write(userId: string, room: string, text: string): Promise<void> {
    await this.#backbone.link.store(this.#subjectOf(userId, room), text);
  }

  #subjectOf(userId: string, room: string): string {
    return this.#backbone.names.subject('grants', roomToken(room), textToken(userId));
  }
}
