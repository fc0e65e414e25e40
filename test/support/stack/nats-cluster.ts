import { freePort } from '../../../loadtest/ports.ts';
import { type NatsOptions, NatsServer } from './nats-server.ts';
import { until } from './until.ts';

const SERVERS = 3;
/** An election takes some seconds; on a busy machine it is held again. */
const LEADER_DEADLINE_MS = 30_000;

/** Servers that keep streams together: any of them may end. */
export class NatsCluster {
  readonly servers: readonly NatsServer[];

  constructor(servers: readonly NatsServer[]) {
    this.servers = servers;
  }

  /** What a pod needs to use the cluster. */
  get env(): Record<string, string> {
    const url = this.servers.map((server) => server.url).join(',');
    return { BROADCAST_MQ_TYPE: 'nats', NATS_URL: url, NATS_REPLICAS: String(SERVERS) };
  }

  /** Waits for the server that leads a stream, as all that run agree. */
  async leaderOf(stream: string): Promise<NatsServer> {
    let leader: NatsServer | undefined;
    await until(
      `a leader of ${stream}`,
      async () => {
        const running = this.servers.filter(({ state }) => state === 'running');
        const names = await Promise.all(
          running.map((server) => server.leaderOf(stream).catch(() => undefined)),
        );
        leader = running.find(({ name }) => names.every((one) => one === name));
        return leader !== undefined;
      },
      LEADER_DEADLINE_MS,
    );
    if (leader === undefined) throw new Error(`${stream} has no leader`);
    return leader;
  }

  async discard(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.discard()));
  }
}

/** Starts three servers on free ports and waits until they have become a cluster. */
export async function startNatsCluster(options: NatsOptions = {}): Promise<NatsCluster> {
  const ports: number[] = [];
  for (let n = 0; n < 3 * SERVERS; n += 1) ports.push(await freePort());
  const all = ports.slice(0, SERVERS);
  const servers = all.map((port, n) => {
    const [own = 0, monitor = 0] = ports.slice(SERVERS + 2 * n);
    return new NatsServer(`nats-${n + 1}`, own, monitor, options, { port, all });
  });
  await Promise.all(servers.map((server) => server.start()));
  return new NatsCluster(servers);
}
