import type { Frame, Framer, Socket } from '../../src/core/ports/socket.ts';
import type { Hooks } from '../../src/core/ports/hooks.ts';
import { type Address, Gateway, type NewClient } from '../../src/core/commands/gateway.ts';
import type { Connection } from '../../src/core/delivery/connection.ts';
import type { Dialect } from '../../src/protocol/dialect.ts';
import { MemoryBudget } from '../../src/engines/shared/memory-budget.ts';
import { CatchUp } from '../../src/core/pod/catch-up.ts';
import { Hub } from '../../src/core/pod/hub.ts';
import type { Limits } from '../../src/core/base/limits.ts';
import { MemoryDenylist } from '../../src/engines/memory/denylist.ts';
import { MemoryGrants } from '../../src/engines/memory/grants.ts';
import { deny } from '../../src/core/commands/deny.ts';
import { answererOf } from '../../src/core/commands/questions.ts';
import { MemoryDirectory } from '../../src/engines/memory/directory.ts';
import { MemoryBroker } from '../../src/engines/memory/broker.ts';
import { MemoryPresence } from '../../src/engines/memory/presence.ts';
import type { Pod } from '../../src/core/commands/pod.ts';
import { receiverOf } from '../../src/core/commands/broker-receiver.ts';
import type { RoomRule } from '../../src/core/ports/room-rules.ts';
import { type RoomSettings, ruleOfSettings } from '../../src/rules/uniform.ts';
import { Roster } from '../../src/core/presence/roster.ts';
import { TestClock } from './test-clock.ts';
import type { Clock } from '../../src/core/ports/clock.ts';
import { UNRESTRICTED } from '../../src/core/base/permissions.ts';
import type { Watcher } from '../../src/core/ports/watcher.ts';
import { Turn } from '../../src/core/delivery/turn.ts';
import { Timestamps } from '../../src/core/base/timestamps.ts';
import { createTally } from '../../src/core/base/tally.ts';
import { messageDialect } from '../../src/protocol/dialects.ts';

export interface ReceivedFrame {
  readonly type: string;
  readonly id?: string;
  readonly event?: string;
  readonly room?: string;
  readonly from?: string;
  readonly data?: unknown;
}

/** A client's end that reads when it is told to. */
export class TestSocket implements Socket {
  congested = false;
  /** Frames after which it takes no more. */
  takes = Number.POSITIVE_INFINITY;
  writes = 0;
  closeCode: number | undefined;
  closeReason: string | undefined;
  readonly frames: ReceivedFrame[] = [];

  write(bytes: Frame): void {
    this.writes += 1;
    this.#take(bytes);
  }

  writeAll(frames: readonly Frame[]): void {
    this.writes += 1;
    for (const frame of frames) this.#take(frame);
  }

  #take(bytes: Frame): void {
    for (const line of Buffer.from(bytes).toString().trimEnd().split('\n')) {
      this.frames.push(JSON.parse(line) as ReceivedFrame);
      this.takes -= 1;
      if (this.takes <= 0) this.congested = true;
    }
  }

  close({ code }: { code: number }, reason?: string): void {
    this.closeCode = code;
    this.closeReason = reason;
  }

  ping(): void {}
  terminate(): void {}
  pause(): void {}
  resume(): void {}
}

const LIMITS: Limits & RoomSettings = {
  maxConnections: 100,
  maxConnectionsPerUser: 0,
  handshakesPerSecond: 1_000,
  messagesPerSecond: 0,
  maxRoomsPerConnection: 10,
  maxMessageBytes: 65_536,
  outboxMessages: 8,
  outboxBytes: 1_000_000,
  historySize: 100,
  historyTtlMs: 300_000,
  presenceGraceMs: 5_000,
  presenceEventsLimit: 500,
  rebalancePercent: 20,
  rebalancePerSecond: undefined,
  heartbeatSeconds: 25,
  heartbeatTimeoutSeconds: 60,
};

/** On it a second has passed at each look, so that presence events leave at the end of their turn. */
function hurriedClock(): Clock {
  let elapsed = 0;
  return { now: () => 0, elapsed: () => (elapsed += 1_000), after: () => () => undefined };
}

/** A whole pod over the memory adapters, without a network and with a clock that stands still. */
export class TestPod {
  readonly clock = new TestClock();
  readonly pod: Pod;
  readonly gateway: Gateway;
  /** Told of every frame that is made. */
  framed: (text: string) => void = () => undefined;
  /** The rules in force, by room; a test that changes them calls `roster.rulesChanged`. */
  readonly rules = new Map<string, Partial<RoomRule>>();
  #connections = 0;
  #messages = 0;

  constructor(limits: Partial<Limits & RoomSettings> = {}, hooks?: Hooks, watcher?: Watcher) {
    const all = { ...LIMITS, ...limits };
    const { clock } = this;
    const tally = createTally();
    const timestamps = new Timestamps();
    const framer = this.#lines();
    const turn = new Turn((run) => void setImmediate(run), expectNone, hurriedClock());
    const budget = new MemoryBudget(67_108_864);
    const broker = new MemoryBroker({
      clock,
      epoch: 'e',
      limitsOf: (room) => rules.ruleOf(room),
      budget,
    });
    const plain = ruleOfSettings(all);
    const rules = {
      ruleOf: (room: string): RoomRule => ({ ...plain, ...this.rules.get(room) }),
      widest: plain,
      start: () => undefined,
      stop: () => undefined,
    };
    const directory = new MemoryDirectory();
    const hub = new Hub({ broker, directory, framer, turn, clock, tally, timestamps, rules });
    const log = { debug() {}, info() {}, warn() {}, error: (fields: object) => expectNone(fields) };
    const roster = new Roster({
      store: new MemoryPresence(clock, budget),
      hub,
      clock,
      framer,
      rules,
      limits: all,
      log,
      watcher,
    });
    const catchUp = new CatchUp({ broker, clock, framer, hub, limits: all, tally, log });
    const ids = { connection: () => 'c', ephemeral: () => `~${(this.#messages += 1)}` };
    this.pod = {
      name: 'pod',
      startedAt: 0,
      hub,
      catchUp,
      broker,
      directory,
      grants: new MemoryGrants(clock),
      denylist: new MemoryDenylist(clock),
      roster,
      authenticator: undefined,
      hooks,
      watcher,
      framer,
      turn,
      clock,
      random: () => 0.5,
      ids,
      limits: all,
      rules,
      tally,
      timestamps,
      log,
    };
    void broker.start(receiverOf(this.pod));
    void roster.start();
    this.pod.denylist.start((denial) => deny(this.pod, denial));
    void directory.start(hub, answererOf(this.pod));
    this.gateway = new Gateway(this.pod);
  }

  #line(text: string): Buffer {
    this.framed(text);
    return Buffer.from(`${text}\n`);
  }

  /** Frames as lines of text, so that a test can read what a socket was given. */
  #lines(): Framer {
    return {
      frame: (text) => this.#line(text),
      frames: (texts) => Buffer.concat(texts.map((text) => this.#line(text))),
      join: (frames) => Buffer.concat(frames),
      slice: (frames, from, to) => {
        const lines = Buffer.from(frames).toString().split('\n').slice(from, to);
        return Buffer.from(lines.map((line) => `${line}\n`).join(''));
      },
    };
  }

  connect(
    userId: string,
    address: Address = {},
    dialect: Dialect | undefined = messageDialect,
    more: Partial<NewClient> = {},
  ): { connection: Connection; socket: TestSocket; send: (frame: object) => void } {
    const socket = new TestSocket();
    const id = `c${(this.#connections += 1)}`;
    const connection = this.gateway.open({
      id,
      principal: { userId, permissions: UNRESTRICTED },
      address,
      dialect,
      socket,
      ...more,
    });
    return { connection, socket, send: (frame) => this.gateway.receive(connection, JSON.stringify(frame)) };
  }
}

function expectNone(fields: unknown): void {
  throw new Error('the pod logged an error', { cause: fields });
}

/** Lets everything that is under way on this turn of the event loop and the next come to its end. */
export async function turns(count = 3): Promise<void> {
  for (let n = 0; n < count; n += 1) await new Promise((resolve) => void setImmediate(resolve));
}
