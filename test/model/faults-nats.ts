import { connect } from '@nats-io/transport-node';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { type Fault, type Named, startAgain, stateOf } from './fault.ts';
import type { NatsServer } from '../support/stack/nats-server.ts';
import { setTimeout as lasts } from 'node:timers/promises';

const HISTORY = 'realtime-history';

const natsFrozen: Fault = async ({ world: { nats }, story, random }) => {
  if (nats?.state !== 'running') return;
  const mended = story.fault('NATS is frozen', 'pods');
  nats.freeze();
  await lasts(random.int(1_500, 4_000));
  if (stateOf(nats) === 'frozen') nats.thaw();
  mended('NATS is thawed');
};

const natsKilled: Fault = async ({ world: { nats }, story, random }) => {
  if (nats?.state !== 'running') return;
  const mended = story.fault('NATS is killed', 'pods');
  await nats.kill();
  await lasts(random.int(0, 3_000));
  await startAgain(nats);
  mended('NATS runs again');
};

async function asOperator(nats: NatsServer, act: (jsm: JetStreamManager) => Promise<unknown>): Promise<void> {
  const connection = await connect({ servers: `127.0.0.1:${nats.port}`, reconnect: false });
  try {
    await act(await jetstreamManager(connection));
  } finally {
    await connection.close();
  }
}

const streamDeleted: Fault = async ({ world: { nats }, story }) => {
  if (nats?.state !== 'running') return;
  const mended = story.fault(`the stream ${HISTORY} is deleted`, 'data');
  await asOperator(nats, (jsm) => jsm.streams.delete(HISTORY));
  mended('it is done');
};

const streamPurged: Fault = async ({ world: { nats }, story }) => {
  if (nats?.state !== 'running') return;
  const mended = story.fault(`the stream ${HISTORY} is purged`, 'keys');
  await asOperator(nats, (jsm) => jsm.streams.purge(HISTORY));
  mended('it is done');
};

export const NATS_FAULTS: readonly Named[] = [
  ['nats-frozen', natsFrozen],
  ['nats-killed', natsKilled],
  ['stream-deleted', streamDeleted],
  ['stream-purged', streamPurged],
];
