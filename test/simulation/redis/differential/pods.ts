import { BROKER_SCRIPTS, RedisBroker } from '../../../../src/engines/redis/broker.ts';
import { DIRECTORY_SCRIPTS, RedisDirectory } from '../../../../src/engines/redis/directory.ts';
import { PRESENCE_SCRIPTS } from '../../../../src/engines/redis/presence/scripts.ts';
import { RedisPresence } from '../../../../src/engines/redis/presence.ts';
import { Backbone } from '../../../../src/engines/redis/connection/backbone.ts';
import type { Occupant } from '../../../../src/core/ports/presence-store.ts';
import type { Receiver } from '../../../../src/core/ports/broker.ts';
import { Holding, NO_ANSWER } from '../../../contract/directory.ts';
import type { Random } from '../../../hostile/random.ts';
import type { TestClock } from '../../../support/test-clock.ts';

const ROOMS = ['lobby', 'room:42', 'žluťoučký'];
const USERS = ['alice', 'bob', 'Zoë "z"', 'dan/iel'];
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

export interface PodOptions {
  readonly name: string;
  readonly port: number;
  readonly clock: TestClock;
  readonly random: Random;
  /** Positions that any pod was given. */
  readonly positions: string[];
}

/** What a pod has in Redis, and a crowd that does at random what pods do there. */
export class RandomPod {
  readonly backbone: Backbone;
  readonly #options: PodOptions;
  readonly #broker: RedisBroker;
  readonly #presence: RedisPresence;
  readonly #directory: RedisDirectory;
  readonly #holding = new Holding();
  readonly #present: { readonly room: string; readonly who: Occupant }[] = [];
  #numbers = 0;

  constructor(options: PodOptions) {
    const { name, port, clock } = options;
    this.#options = options;
    this.backbone = new Backbone({
      address: { server: { host: '127.0.0.1', port }, master: '', db: 0 },
      prefix: 'test:',
      pod: name,
      leaseMs: 10_000,
      startWaitMs: 0,
      scripts: [...BROKER_SCRIPTS, ...PRESENCE_SCRIPTS, ...DIRECTORY_SCRIPTS],
      clock,
      log: SILENT,
    });
    const newName = (): string => `${name}~${(this.#numbers += 1)}`;
    const { backbone } = this;
    this.#broker = new RedisBroker({
      backbone,
      limitsOf: () => ({ historySize: 10, historyTtlMs: 60_000 }),
      bufferMessages: 100,
      memoryBytes: 1_048_576,
      newName,
    });
    this.#presence = new RedisPresence({ backbone, ttlMs: 60_000, random: () => options.random.next() });
    this.#directory = new RedisDirectory(backbone);
  }

  async start(): Promise<void> {
    const receiver: Receiver = {
      message: () => undefined,
      delivered: () => true,
      fleeting: () => undefined,
      provisional: () => undefined,
      forgotten: () => undefined,
      newest: () => undefined,
      note: () => undefined,
    };
    await this.#broker.start(receiver);
    await this.#presence.start({
      changed: () => undefined,
      caused: () => undefined,
      uncertain: () => undefined,
    });
    await this.#directory.start(this.#holding, NO_ANSWER);
  }

  /** Ends without a word: others clear away after it. */
  die(): void {
    this.backbone.stop();
  }

  /** One thing that a pod does; what it raises is told to nobody, since both servers were asked the same. */
  async act(): Promise<void> {
    const { random } = this.#options;
    const acts = [
      ...Array.from({ length: 6 }, () => () => this.#publish()),
      ...Array.from({ length: 3 }, () => () => this.#read()),
      ...Array.from({ length: 3 }, () => () => this.#enter()),
      ...Array.from({ length: 2 }, () => () => this.#leave()),
      () => this.#admit(),
      () => this.#count(),
      () => this.#subscribe(),
      () => this.#presence.list(this.#room(), 10),
      () => this.#directory.loads({ connections: random.int(0, 9), since: this.#options.clock.now() }),
      () => this.#broker.claim(this.#room(), random.pick(['k1', 'k2']), `id${random.int(0, 9)}`),
      () => this.#broker.tell(this.#room(), { id: 'x', body: '{}' }),
    ];
    await random
      .pick(acts)()
      .catch(() => undefined);
  }

  #room(): string {
    return this.#options.random.pick(ROOMS);
  }

  async #publish(): Promise<void> {
    const { random, positions } = this.#options;
    const body = JSON.stringify({ type: 'chat', text: random.text(random.int(0, 80)) });
    const key = random.chance(0.3) ? `key${random.int(0, 5)}` : undefined;
    const { id } = await this.#broker.publish(this.#room(), body, { key });
    positions.push(id);
  }

  async #read(): Promise<void> {
    const { random, positions, clock } = this.#options;
    const from = random.pick([
      { newest: random.int(0, 12) },
      { since: clock.now() - random.int(0, 80_000) },
      { after: positions.length > 0 && random.chance(0.9) ? random.pick(positions) : 'x.y.5-5' },
    ]);
    positions.push((await this.#broker.read(this.#room(), from, random.int(1, 12))).position);
  }

  async #enter(): Promise<void> {
    const { random } = this.#options;
    const who: Occupant = { connectionId: `c${(this.#numbers += 1)}`, userId: random.pick(USERS) };
    const room = this.#room();
    this.#present.push({ room, who });
    const returns = random.chance(0.5);
    if (random.chance(0.5)) return void (await this.#presence.enter(room, who, returns));
    const status = random.pick(['online', 'away', undefined] as const);
    await this.#presence.state(room, who, { status, meta: `{"n":${random.int(0, 9)}}` }, returns);
  }

  async #leave(): Promise<void> {
    const { random } = this.#options;
    if (this.#present.length === 0) return;
    const { room, who } = random.pick(this.#present);
    if (random.chance(0.3)) return this.#presence.lose(room, who);
    this.#present.splice(
      this.#present.findIndex((one) => one.who === who),
      1,
    );
    await this.#presence.exit(room, who);
  }

  async #admit(): Promise<void> {
    const { random } = this.#options;
    const userId = random.pick(USERS);
    const connectionId = `a${random.int(0, 9)}`;
    if (random.chance(0.6)) await this.#directory.admit(userId, connectionId, 3);
    else await this.#directory.release(userId, connectionId);
  }

  async #count(): Promise<void> {
    const { random } = this.#options;
    const room = this.#room();
    this.#holding.put(room, random.int(0, 3));
    this.#directory.changed(room);
    await this.#directory.rooms(random.pick(['', 'room:', 'x']), '', 10);
  }

  async #subscribe(): Promise<void> {
    if (this.#options.random.chance(0.7)) await this.#broker.subscribe(this.#room());
    else this.#broker.unsubscribe(this.#room());
  }
}
