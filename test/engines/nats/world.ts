import { type NatsCluster, startNatsCluster } from '../../support/stack/nats-cluster.ts';
import { type NatsOptions, type NatsServer, startNats } from '../../support/stack/nats-server.ts';
import { onTestFinished } from 'vitest';

/** A NATS that lives until the test ends. */
export async function natsOf(options: NatsOptions = {}): Promise<NatsServer> {
  const nats = await startNats(options);
  onTestFinished(() => nats.discard());
  return nats;
}

/** Three servers that live until the test ends. */
export async function clusterOf(): Promise<NatsCluster> {
  const cluster = await startNatsCluster();
  onTestFinished(() => cluster.discard());
  return cluster;
}
