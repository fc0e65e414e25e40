import { expect, onTestFinished, test, vi } from 'vitest';
import { BROKER_SCRIPTS, RedisBroker } from '../../../src/engines/redis/broker.ts';
import type { Receiver, Stored } from '../../../src/core/ports/broker.ts';
import { systemClock } from '../../../src/platform.ts';
import { Backbone } from '../../../src/engines/redis/connection/backbone.ts';
import { slotOf } from '../../../src/engines/redis/connection/slots.ts';
import { ClusterView } from './cluster.ts';
import { Lua } from './lua.ts';
import { ModelServer } from './server.ts';
import { served } from './tcp.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** Masters of a Cluster of models that share the slots, and to which clients connect by TCP. */
async function masters(view: ClusterView): Promise<ModelServer[]> {
  const lua = new Lua();
  const servers: ModelServer[] = [];
  for (const index of [0, 1, 2]) {
    const address = { host: '127.0.0.1', port: await served(() => servers[index] as ModelServer) };
    servers.push(
      new ModelServer({
        name: `redis-${index}`,
        address,
        now: Date.now,
        random: Math.random,
        lua,
        cluster: view,
      }),
    );
  }
  const share = Math.ceil(16_384 / servers.length);
  for (const [index, server] of servers.entries())
    view.assign(server, index * share, Math.min((index + 1) * share, 16_384) - 1);
  return servers;
}

const numberIn = ({ body }: Stored): unknown => (JSON.parse(body) as { n: number }).n;

test('the product publishes, hears and reads in a Cluster of models, also in a slot that has moved', async () => {
  const view = new ClusterView();
  const [first] = await masters(view);
  if (first === undefined) throw new Error('no server');
  const backbone = new Backbone({
    address: { cluster: [first.address], master: '', db: 0 },
    prefix: '',
    pod: 'pod',
    leaseMs: 10_000,
    startWaitMs: 0,
    scripts: BROKER_SCRIPTS,
    clock: systemClock,
    log: SILENT,
  });
  let names = 0;
  const newName = (): string => `name~${(names += 1)}`;
  const broker = new RedisBroker({
    backbone,
    limitsOf: () => ({ historySize: 10, historyTtlMs: 60_000 }),
    bufferMessages: 9,
    memoryBytes: 1_048_576,
    newName,
  });
  const heard: Stored[] = [];
  const receiver: Receiver = {
    message: (_, stored) => heard.push(stored),
    delivered: () => true,
    fleeting: () => undefined,
    provisional: () => undefined,
    forgotten: () => undefined,
    newest: () => undefined,
    note: () => undefined,
  };
  await broker.start(receiver);
  onTestFinished(() => broker.stop());
  await vi.waitFor(() => broker.subscribe('room'), 5_000);
  await broker.publish('room', '{"n":1}');
  const slot = slotOf('{room}');
  const owner = view.ownerOf(slot);
  const to = [...view.rangesAsSeenBy(first.address)]
    .map(({ servers: [server] }) => server)
    .find((one) => one !== owner);
  if (to === undefined) throw new Error('no other server');
  view.beginMove(slot, to);
  view.moveKeys(slot, 1);
  const published = broker.publish('room', '{"n":2}');
  view.endMove(slot);
  await published;
  await vi.waitFor(async () => {
    const { messages } = await broker.read('room', { newest: 5 }, 5);
    expect(messages.map(numberIn)).toEqual([1, 2]);
  }, 10_000);
  expect(heard.map(numberIn)).toContain(1);
});
