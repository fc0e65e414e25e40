import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Requests } from '../requests.ts';
import { createHash } from 'node:crypto';
import { difference, keysOf } from './judge.ts';
import { numberIn, timeIn } from './pair.ts';
import { timed, type TimedScript } from './scripts.ts';
import { Model, type ModelSide, RealSide } from './sides.ts';
import type { Lua } from '../lua.ts';
import { bytesOf, type Parsed, shown } from './wire.ts';

/** How often, and after how long each time, what is pushed is waited for. */
const MOST_FENCES = 50;
const PAUSE_MS = 10;

const SILENT = new Set(['SUBSCRIBE', 'UNSUBSCRIBE', 'SSUBSCRIBE', 'SUNSUBSCRIBE']);
/** Each server has ids, and a name, of its own. */
const OWN = new Set(['HELLO', 'INFO', 'CLIENT']);

export interface ProxyOptions {
  /** Of the real server. */
  readonly port: number;
  readonly lua: Lua;
  /** The time that clients and scripts are told, in milliseconds since 1970. */
  readonly now: () => number;
}

/** A call of a script as the product made it. */
export interface Invocation {
  readonly script: TimedScript;
  readonly keys: readonly string[];
  readonly args: readonly string[];
}

/**
 * Stands between the product and a real redis-server, plays the same to a model, one command after the other, and
 * notes what is different.
 */
export class ComparingProxy {
  readonly model: Model;
  readonly #options: ProxyOptions;
  readonly #server: Server;
  readonly #sessions: ProxySession[] = [];
  readonly #scripts = new Map<string, TimedScript>();
  readonly invocations: Invocation[] = [];
  readonly differences: string[] = [];
  compared = 0;
  /** Everything that was asked until now, in its order. */
  #line: Promise<void> = Promise.resolve();

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.model = new Model(options.lua);
    this.#server = createServer((client) => void this.#serve(client));
  }

  async start(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resolves once all that was asked has been answered, and all that was published has come. */
  async settle(): Promise<void> {
    this.#next(async () => {
      // What Redis pushes may come a moment after it has answered.
      for (let attempt = 0; attempt < MOST_FENCES; attempt += 1) {
        for (const session of this.#sessions) await session.fence();
        if (this.#sessions.every((session) => session.hasAsManyPushes)) break;
        await pause(PAUSE_MS);
      }
      for (const session of this.#sessions) this.#noteIf(session.differentPushes());
    });
    await this.#line;
  }

  stop(): void {
    for (const session of this.#sessions) session.close();
    this.#server.close();
  }

  /** One after the other; what goes wrong is a difference too. */
  #next(step: () => Promise<void> | void): void {
    this.#line = this.#line.then(step).catch((error: unknown) => void this.differences.push(String(error)));
  }

  async #serve(client: Socket): Promise<void> {
    client.setNoDelay().on('error', () => undefined);
    client.pause();
    const session = new ProxySession(
      client,
      await RealSide.connect(this.#options.port),
      this.model.connect(),
    );
    this.#sessions.push(session);
    const requests = new Requests();
    client.on('data', (bytes) => {
      for (const words of requests.read(bytes)) {
        const texts = words.map((word) => Buffer.from(word, 'latin1').toString());
        this.#next(() => this.#handle(session, texts));
      }
    });
    client.on('close', () => this.#next(() => session.close()));
    client.resume();
  }

  async #handle(session: ProxySession, asked: readonly string[]): Promise<void> {
    const name = (asked[0] ?? '').toUpperCase();
    if (name === 'TIME') return session.answer(this.#told());
    if (session.isOver) return;
    const script = this.#scriptOf(asked);
    const words = this.#rewritten(asked, script);
    const keys = keysOf(words);
    const ends = keys.map((key) => ['PEXPIRETIME', key]);
    const silent = Number(SILENT.has(name));
    const answers = await session.real.ask([['TIME'], words, ...ends, ['TIME']], silent);
    const [from, to] = [timeIn(answers[0]), timeIn(answers.at(-1))];
    const answer = silent === 1 ? undefined : answers[1];
    const heard = { words, keys, from, to, answer, ends: answers.slice(2 - silent, -1).map(numberIn) };
    const comparison = { command: name, isShuffled: script?.isShuffled === true, withPushes: false };
    if (OWN.has(name)) session.model.ask(words);
    else this.#noteIf(difference(this.model, session.model, { ...heard, comparison }));
    this.compared += 1;
    if (answer !== undefined) session.answer(answer.reply);
  }

  #noteIf(found: string | undefined): void {
    if (found !== undefined) this.differences.push(found);
  }

  #told(): Parsed {
    const words = this.#time().map((value) => ({ kind: '$', value }));
    return { kind: '*', value: words };
  }

  #time(): [seconds: string, micros: string] {
    const now = this.#options.now();
    return [String(Math.floor(now / 1_000)), String((now % 1_000) * 1_000)];
  }

  #scriptOf([name = '', first = '', text = '']: readonly string[]): TimedScript | undefined {
    if (/^EVALSHA$/i.test(name)) return this.#scripts.get(first);
    if (!/^SCRIPT$/i.test(name) || !/^LOAD$/i.test(first)) return undefined;
    const script = timed(text);
    this.#scripts.set(createHash('sha1').update(text).digest('hex'), script);
    return script;
  }

  #rewritten(words: readonly string[], script: TimedScript | undefined): readonly string[] {
    if (script === undefined) return words;
    if (/^SCRIPT$/i.test(words[0] ?? '')) return ['SCRIPT', 'LOAD', script.lua];
    const [, , count = '0', ...rest] = words;
    const keys = rest.slice(0, Number(count));
    this.invocations.push({ script, keys, args: rest.slice(Number(count)) });
    return ['EVALSHA', script.sha, count, ...rest, ...this.#time()];
  }
}

/** One client of the proxy, with a connection to the real server and one to the model. */
class ProxySession {
  readonly real: RealSide;
  readonly model: ModelSide;
  readonly #client: Socket;
  readonly #pushed: Parsed[] = [];
  isOver = false;

  constructor(client: Socket, real: RealSide, model: ModelSide) {
    this.#client = client;
    this.real = real;
    this.model = model;
    real.onPush = (push) => {
      this.#pushed.push(push);
      this.answer(push);
    };
  }

  answer(reply: Parsed): void {
    if (!this.isOver) this.#client.write(Buffer.from(bytesOf(reply), 'latin1'));
  }

  async fence(): Promise<void> {
    if (!this.isOver) await this.real.ask([['PING']]);
  }

  close(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#client.destroy();
    this.real.close();
    this.model.close();
  }

  get hasAsManyPushes(): boolean {
    return this.isOver || this.#pushed.length === this.model.pushed.length;
  }

  /** Whether the two have pushed the same since the last call. What was on its way when a client went is not known. */
  differentPushes(): string | undefined {
    if (this.isOver) return undefined;
    const real = this.#pushed.splice(0);
    const model = this.model.pushed.splice(0);
    const isSame = inOrder(real) === inOrder(model) && wordsOf(real) === wordsOf(model);
    return isSame ? undefined : `pushed by Redis:\n${inOrder(real)}\npushed by the model:\n${inOrder(model)}`;
  }
}

/** Without who left and how many are left: those who leave in one step do so in any order. */
function inOrder(pushes: readonly Parsed[]): string {
  return pushes.map((push) => shown(push).replace(/(presence \S+ leave ).*/, '$1')).join('\n');
}

function wordsOf(pushes: readonly Parsed[]): string {
  return pushes
    .flatMap((push) => shown(push).split(/ |\\n/))
    .toSorted()
    .join(' ');
}
