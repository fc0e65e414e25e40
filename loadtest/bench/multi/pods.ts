import { type Contender, CONTENDERS } from '../contenders.ts';
import { startGenerator } from '../generator.ts';
import type { Generator } from '../generator.ts';
import type { Connected } from '../load/commands.ts';
import { type RunningServer, startServer } from '../server.ts';

export interface PodsOptions {
  /** Crosspod unless it says. */
  readonly contender?: Contender;
  /** Settings of each pod; as many as there are pods to be. */
  readonly envs: readonly Readonly<Record<string, string>>[];
  /** More flags of Node for the pod of this number. */
  readonly flags?: ((index: number) => readonly string[]) | undefined;
}

/** Pods of one contender with a load generator of their own. */
export interface Pods {
  readonly all: readonly RunningServer[];
  readonly generator: Generator;
  /** Connects everybody; the members of each room are spread over the pods of these numbers, or over all. */
  connect(crowd: { connections: number; rooms: number; pods?: readonly number[] }): Promise<Connected>;
  stop(timeoutMs?: number): Promise<void>;
}

/** Starts the pods one after the other, with the defaults and without the limits that the load would meet. */
export async function startPods({ contender, envs, flags = () => [] }: PodsOptions): Promise<Pods> {
  const { nodeFlags, env: ownEnv, ways, ...rest }: Contender = contender ?? CONTENDERS.crosspod;
  const all: RunningServer[] = [];
  for (const [index, env] of envs.entries()) {
    const given = { nodeFlags: [...nodeFlags, ...flags(index)], env: { ...ownEnv, ...env } };
    all.push(await startServer({ ...rest, ways, ...given }));
  }
  const generator = startGenerator();
  return {
    all,
    generator,
    connect: ({ connections, rooms, pods = [...all.keys()] }) => {
      const ports = pods.map((index) => all[index]?.port ?? 0);
      return generator.connect({ ports, ways, connections, rooms });
    },
    stop: async (timeoutMs) => {
      await generator.stop();
      for (const pod of all) await pod.stop(timeoutMs);
    },
  };
}

/** The pod of this number. */
export function podAt({ all }: Pods, index: number): RunningServer {
  const pod = all[index];
  if (pod === undefined) throw new Error(`there is no pod ${index + 1}`);
  return pod;
}

/** The same settings for so many pods. */
export function times(count: number, env: Readonly<Record<string, string>>): Record<string, string>[] {
  return Array.from({ length: count }, () => ({ ...env }));
}
