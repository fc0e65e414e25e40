import type {
  Answerer,
  Answers,
  Directory,
  DirectorySource,
  Occupied,
  Load,
} from '../../core/ports/directory.ts';
import { withKeyTypes, type TypedKeys } from './connection/key-types.ts';
import { ASK, RedisQuestions } from './directory/questions.ts';
import { DirectoryUpkeep, UPKEEP_SCRIPTS } from './directory/upkeep.ts';
import { type Script, scriptsIn } from './connection/script.ts';
import { Unavailable } from '../shared/unavailable.ts';
import type { Backbone } from './connection/backbone.ts';
import type { Leaseholder } from '../shared/lease.ts';
import type { Occupant } from '../../core/ports/presence-store.ts';

const script = scriptsIn('directory');
const COUNT = script('count');
const LIST = script('list');
const ADMIT = script('admit');
const REAP = script('reap');
const LOADS = script('loads');
export const DIRECTORY_SCRIPTS: readonly Script[] = [COUNT, LIST, ADMIT, REAP, LOADS, ASK, ...UPKEEP_SCRIPTS];

/** Changes are written together, this long after the first. */
const WRITE_MS = 100;
/** Rooms or users per script. */
const CHUNK = 200;

/**
 * The directory of all pods, in Redis: each pod writes its own counts under the name of its lease, and scripts keep the
 * sums.
 */
export class RedisDirectory implements Directory, Leaseholder {
  readonly #backbone: Backbone;
  readonly #questions: RedisQuestions;
  #changed = new Set<string>();
  #cancelWrite: (() => void) | undefined;
  #source: DirectorySource | undefined;
  /** Whether this pod has counted a user's connection; if not, `release` has nothing to do. */
  #admits = false;
  /** Connections that are released and may still be open. */
  #released = new Set<string>();
  /** The name under which everything was written before. */
  #former: string | undefined;

  constructor(backbone: Backbone) {
    this.#backbone = backbone;
    this.#questions = new RedisQuestions(backbone);
    backbone.lease.add(this);
  }

  start(source: DirectorySource, answer: Answerer): Promise<void> {
    this.#source = source;
    this.#questions.questions.start(answer);
    const upkeep = { backbone: this.#backbone, source: () => this.#source, admitted: () => this.#admitted() };
    new DirectoryUpkeep(upkeep).start();
    return Promise.resolve();
  }

  changed(room: string): void {
    this.#changed.add(room);
    this.#cancelWrite ??= this.#backbone.clock.after(WRITE_MS, () => this.#writeChanges());
  }

  async rooms(prefix: string, after: string, limit: number): Promise<Occupied[]> {
    const { keys, shared } = this.#backbone;
    await this.#write();
    const from = after > prefix ? `(${after}` : `[${prefix}`;
    // No byte of a room's name sorts after this one.
    const to = prefix === '' ? '+' : `(${prefix}\xff`;
    const reply = (await shared.call(LIST, [keys.rooms, keys.roomCounts], [from, to, limit])) as string[];
    const rooms: Occupied[] = [];
    for (let at = 0; at < reply.length; at += 2) {
      rooms.push({ room: reply[at] ?? '', connections: Number(reply[at + 1]) });
    }
    return rooms;
  }

  async admit(userId: string, connectionId: string, most: number): Promise<boolean> {
    this.#admits = true;
    this.#released.delete(connectionId);
    try {
      return (await this.#backbone.failedWrites.track(this.#admit(userId, connectionId, most))) === 1;
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      return (this.#source?.connectionsOf(userId).length ?? 0) < most;
    }
  }

  async release(userId: string, connectionId: string): Promise<void> {
    if (!this.#admits) return;
    this.#released.add(connectionId);
    const { keys, lease, shared, failedWrites } = this.#backbone;
    const users = keys.podUsers(lease.name);
    const place = `${connectionId} ${userId}`;
    const released = shared.command((client) =>
      Promise.all([client.hdel(keys.user(userId), connectionId), client.srem(users, place)]),
    );
    // What could not be removed expires with the lease.
    await failedWrites.track(released).catch((error: unknown) => this.#failed(error));
  }

  async loads(own: Load | undefined): Promise<readonly Load[]> {
    const { clock, keys, lease, shared } = this.#backbone;
    const { name } = lease;
    // Stored by the clock of Redis, which all pods share.
    const offset = shared.now() - clock.elapsed();
    const said = own === undefined ? ['', ''] : [own.connections, Math.round(own.since + offset)];
    const reply = await shared.call(LOADS, [keys.loads, keys.pods], [name, ...said]);
    return (lease.unlessLapsed(name, reply) as string[]).map((text) => {
      const [connections, since] = text.split(' ').map(Number);
      return { connections: connections ?? 0, since: (since ?? 0) - offset };
    });
  }

  ask(question: string, isEnough?: (answer: string) => boolean): Promise<Answers> {
    return this.#questions.ask(question, isEnough);
  }

  /** Writes that this pod has no connections any more. */
  async stop(): Promise<void> {
    await this.#questions.stop();
    await this.#write().catch((error: unknown) => this.#failed(error));
    this.#source = undefined;
  }

  async rewriteAll(): Promise<void> {
    const { name } = this.#backbone.lease;
    for (const { room } of this.#source?.occupied() ?? []) this.#changed.add(room);
    await this.#write();
    for (const { userId, connectionId } of this.#admitted()) {
      await this.#backbone.failedWrites.track(this.#admit(userId, connectionId, Number.MAX_SAFE_INTEGER));
    }
    await this.#reapFormer(name);
  }

  /** Everything is stored under the new name too, and would count twice until the former lease ends. */
  async #reapFormer(name: string): Promise<void> {
    if (this.#former !== undefined && this.#former !== name) await this.reap(this.#former);
    this.#former = name;
  }

  async reap(pod: string): Promise<void> {
    const { keys, shared } = this.#backbone;
    const names = [keys.rooms, keys.roomCounts, keys.podRooms(pod), keys.podUsers(pod)];
    await shared.command((client) => client.hdel(keys.loads, pod));
    let next = ['0', '0'];
    while (next.some((from) => from !== ''))
      next = (await shared.call(REAP, names, [CHUNK, keys.user(''), pod, ...next])) as string[];
  }

  #admitted(): readonly Occupant[] {
    const all = this.#admits ? [...(this.#source?.connections() ?? [])] : [];
    const [gone, admitted] = [new Set<string>(), [] as Occupant[]];
    for (const one of all)
      if (this.#released.has(one.connectionId)) gone.add(one.connectionId);
      else admitted.push(one);
    this.#released = gone;
    return admitted;
  }

  async #admit(userId: string, connectionId: string, most: number): Promise<unknown> {
    const { keys, lease, shared, log } = this.#backbone;
    const { name } = lease;
    const typed: TypedKeys = [
      [keys.user(userId), 'hash'],
      [keys.podUsers(name), 'set'],
      [keys.pods, 'zset'],
    ];
    const names = typed.map(([key]) => key);
    const call = (): Promise<unknown> => shared.call(ADMIT, names, [connectionId, name, most, userId]);
    return lease.unlessLapsed(name, await withKeyTypes({ shard: shared, log, typed }, call));
  }

  #writeChanges(): void {
    this.#write().catch((error: unknown) => this.#failed(error));
  }

  async #write(): Promise<void> {
    this.#cancelWrite?.();
    this.#cancelWrite = undefined;
    const { keys, lease, shared, failedWrites } = this.#backbone;
    const rooms = [...this.#changed];
    this.#changed = new Set();
    for (let at = 0; at < rooms.length; at += CHUNK) {
      const { name } = lease;
      const numbers = rooms
        .slice(at, at + CHUNK)
        .flatMap((room) => [room, this.#source?.connectionsIn(room) ?? 0]);
      const names = [keys.rooms, keys.roomCounts, keys.podRooms(name), keys.pods];
      const counted = await failedWrites.track(shared.call(COUNT, names, [name, ...numbers]));
      lease.unlessLapsed(name, counted);
    }
  }

  #failed(error: unknown): void {
    if (error instanceof Unavailable) return;
    this.#backbone.log.error({ err: error }, 'the directory could not be written');
  }
}
