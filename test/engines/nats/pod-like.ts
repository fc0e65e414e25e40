import type { Broker, Fleeting, Note, Stored } from '../../../src/core/ports/broker.ts';
import { randomIds, randomName, systemClock } from '../../../src/platform.ts';
import type { Clock } from '../../../src/core/ports/clock.ts';
import type { HistoryLimits } from '../../../src/core/ports/room-rules.ts';
import { NatsBackbone } from '../../../src/engines/nats/connection/backbone.ts';
import { NatsBroker } from '../../../src/engines/nats/broker.ts';
import { onTestFinished } from 'vitest';

const log = { debug() {}, info() {}, warn() {}, error: (fields: object) => console.error(fields) };

/** A broker with the parts of a pod that it needs, and everything that it gave the receiver. */
export interface PodLike {
  readonly backbone: NatsBackbone;
  readonly broker: Broker;
  readonly messages: { readonly room: string; readonly stored: Stored }[];
  readonly newest: { readonly room: string; readonly position: string | undefined }[];
  readonly provisional: Fleeting[];
  readonly fleeting: Fleeting[];
  readonly notes: Note[];
  /** The ids under which provisional messages were stored before. */
  readonly forgotten: (string | undefined)[];
}

export interface PodLikeOptions {
  /** The port of NATS, or of a proxy. */
  readonly port: number;
  readonly historySize?: number;
  readonly limitsOf?: (room: string) => HistoryLimits;
  readonly widest?: () => HistoryLimits;
  readonly clock?: Clock;
}

/** Starts one, until the test ends. It stores messages for ten minutes. */
export async function podLikeOn({
  port,
  historySize = 100,
  limitsOf,
  widest: givenWidest,
  clock = systemClock,
}: PodLikeOptions): Promise<PodLike> {
  const backbone = new NatsBackbone({
    address: { servers: [`127.0.0.1:${port}`] },
    prefix: 'test',
    replicas: 1,
    pod: randomName(),
    leaseMs: 10_000,
    startWaitMs: 10_000,
    presenceTtlMs: 60_000,
    clock,
    log,
  });
  const ids = randomIds();
  const plain = { historySize, historyTtlMs: 600_000 };
  const widest = givenWidest ?? (() => plain);
  const broker = new NatsBroker({
    backbone,
    limitsOf: limitsOf ?? widest,
    widest,
    bufferMessages: 1_000,
    memoryBytes: 1_048_576,
    maxMessageBytes: 65_536,
    newName: () => ids.ephemeral(),
    newEpoch: randomName,
  });
  const pod: PodLike = {
    backbone,
    broker,
    messages: [],
    newest: [],
    provisional: [],
    fleeting: [],
    notes: [],
    forgotten: [],
  };
  onTestFinished(() => broker.stop());
  await broker.start({
    message: (room, stored) => pod.messages.push({ room, stored }),
    delivered: () => true,
    fleeting: (_room, message) => pod.fleeting.push(message),
    provisional: (_room, message) => pod.provisional.push(message),
    forgotten: (_room, _provisionalId, id) => pod.forgotten.push(id),
    newest: (room, position) => pod.newest.push({ room, position }),
    note: (note) => pod.notes.push(note),
  });
  return pod;
}

/** The messages of a room that it received. */
export function heardIn({ messages }: PodLike, room: string): Stored[] {
  return messages.filter((one) => one.room === room).map(({ stored }) => stored);
}
