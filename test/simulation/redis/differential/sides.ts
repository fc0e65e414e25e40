import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { ModelConnection } from '../connection.ts';
import type { Lua } from '../lua.ts';
import { ModelServer } from '../server.ts';
import { commandBytes, type Parsed, ReplyReader } from './wire.ts';

/** What a command was answered, and what was pushed before that and after the answer before it. */
export interface Answer {
  readonly reply: Parsed;
  readonly pushes: Parsed[];
}

/** One connection to a real redis-server. */
export class RealSide {
  readonly #socket: Socket;
  readonly #reader = new ReplyReader();
  #answers: Answer[] = [];
  #pushed: Parsed[] = [];
  #expected: { readonly count: number; readonly resolve: (answers: Answer[]) => void } | undefined;
  #first: ((item: Parsed) => void) | undefined;
  /** Takes each push as it comes. */
  onPush: (push: Parsed) => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes) => this.#take(bytes));
    socket.on('error', () => undefined);
  }

  static async connect(port: number): Promise<RealSide> {
    const socket = connect(port, '127.0.0.1').setNoDelay();
    await once(socket, 'connect');
    return new RealSide(socket);
  }

  /**
   * Sends all commands at once; `silent` of them are answered by pushes only.
   */
  ask(commands: readonly (readonly string[])[], silent = 0): Promise<Answer[]> {
    const { promise, resolve } = Promise.withResolvers<Answer[]>();
    this.#expected = { count: commands.length - silent, resolve };
    this.#answers = [];
    this.#socket.write(Buffer.concat(commands.map(commandBytes)));
    return promise;
  }

  /** Sends one command and gives what comes first after it, a push too. */
  first(words: readonly string[]): Promise<Parsed> {
    const { promise, resolve } = Promise.withResolvers<Parsed>();
    this.#first = resolve;
    this.#socket.write(commandBytes(words));
    return promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    this.#reader.add(bytes);
    for (let item = this.#reader.next(); item !== undefined; item = this.#reader.next()) {
      this.#first?.(item);
      this.#first = undefined;
      if (item.kind !== '>') {
        this.#answers.push({ reply: item, pushes: this.#pushed.splice(0) });
        continue;
      }
      this.#pushed.push(item);
      this.onPush(item);
    }
    if (this.#expected === undefined || this.#answers.length < this.#expected.count) return;
    this.#expected.resolve(this.#answers);
    this.#expected = undefined;
  }
}

/** A model server whose clock stands where it was set. */
export class Model {
  readonly server: ModelServer;
  readonly sides: ModelSide[] = [];
  /** Microseconds since 1970. */
  time = 0;

  constructor(lua: Lua) {
    this.server = new ModelServer({
      name: 'model',
      address: { host: '127.0.0.1', port: 1 },
      now: () => this.time / 1_000,
      random: () => 0.5,
      lua,
    });
  }

  connect(): ModelSide {
    const side = new ModelSide(this.server);
    this.sides.push(side);
    return side;
  }
}

/** One connection to a model. */
export class ModelSide {
  readonly #connection: ModelConnection;
  readonly #reader = new ReplyReader();
  #reply: Parsed | undefined;
  /** What was pushed. */
  pushed: Parsed[] = [];

  constructor(server: ModelServer) {
    const closed = (): void => undefined;
    this.#connection = server.connect((bytes) => this.#take(bytes), closed);
  }

  /** The reply; undefined where the answer was pushed. */
  ask(command: readonly string[]): Parsed | undefined {
    this.#reply = undefined;
    this.#connection.receive(commandBytes(command));
    return this.#reply;
  }

  close(): void {
    this.#connection.close();
  }

  #take(bytes: Buffer): void {
    this.#reader.add(bytes);
    for (let item = this.#reader.next(); item !== undefined; item = this.#reader.next()) {
      if (item.kind === '>') this.pushed.push(item);
      else this.#reply = item;
    }
  }
}
