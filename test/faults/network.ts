import { createServer, type AddressInfo, connect, type Socket } from 'node:net';
import type { clientIds } from './world.ts';
import { onTestFinished } from 'vitest';
import type { RedisServer } from '../support/stack/redis-server.ts';

/** The two connections of a pod, by what they call themselves (CLIENT LIST). */
export type Kind = Parameters<typeof clientIds>[1];

/** A network to Redis of which single connections, or one direction of them, can go silent, as if packets were lost. */
export interface Network {
  readonly env: Readonly<Record<string, string>>;
  /** From now on nothing passes on those open connections that have this name. */
  silence(kind: Kind | 'all'): Promise<void>;
  /** What was held back arrives now, also from those who have hung up. */
  deliverLate(): void;
  /** What Redis says on connections of this kind, those that will be made included, does not arrive until `answer`. */
  holdAnswers(kind: Kind): void;
  /** What Redis said meanwhile on connections of this kind arrives now. */
  answer(kind: Kind): void;
  /** Ends all connections; new ones are refused until `mend`. */
  cut(): void;
  /** `to`: another server has taken over. */
  mend(to?: RedisServer): void;
}

interface Line {
  readonly near: Socket;
  readonly far: Socket;
  /** Unknown until the pod has said it. */
  kind: Kind | undefined;
  held: boolean;
}

const KINDS: readonly Kind[] = ['crosspod:', 'crosspod-subscriber:'];

/** Holds back what either end says. */
function hold(line: Line): void {
  const { near, far } = line;
  line.held = true;
  near.unpipe(far).pause();
  far.unpipe(near).pause();
}

/** The network of one pod, until the test ends. */
export async function networkTo(redis: RedisServer): Promise<Network> {
  const lines: Line[] = [];
  const unanswered = new Set<Kind>();
  let isCut = false;
  let target = redis;
  /** Holds back what Redis says, or lets it pass. */
  const direct = ({ near, far, kind, held }: Line): void => {
    if (held) return;
    far.unpipe(near);
    if (kind !== undefined && unanswered.has(kind)) far.pause();
    else far.pipe(near);
  };
  const server = createServer({ allowHalfOpen: true }, (near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect({ port: target.port, host: '127.0.0.1', allowHalfOpen: true });
    const line: Line = { near, far, kind: undefined, held: false };
    lines.push(line);
    near.on('data', (bytes: Buffer) => {
      if (line.kind !== undefined) return;
      line.kind = KINDS.find((kind) => bytes.includes(kind));
      if (line.kind !== undefined) direct(line);
    });
    near.pipe(far);
    far.pipe(near);
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endAll = (): void => {
    for (const { near, far } of lines) for (const end of [near, far]) end.destroy();
  };
  onTestFinished(() => {
    endAll();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    env: { REDIS_URL: `redis://127.0.0.1:${port}` },
    async silence(kind) {
      const list = String(await redis.command('CLIENT', 'LIST')).split('\n');
      for (const line of lines) {
        const entry = list.find((one) => one.includes(`addr=127.0.0.1:${line.far.localPort} `));
        if (entry === undefined || (kind !== 'all' && !entry.includes(`name=${kind}`))) continue;
        hold(line);
      }
    },
    deliverLate() {
      for (const { near, far } of lines.filter(({ held }) => held)) {
        near.pipe(far);
        far.resume();
      }
    },
    holdAnswers(kind) {
      unanswered.add(kind);
      for (const line of lines) direct(line);
    },
    answer(kind) {
      unanswered.delete(kind);
      for (const line of lines) direct(line);
    },
    cut() {
      isCut = true;
      endAll();
    },
    mend(to = redis) {
      isCut = false;
      target = to;
    },
  };
}
