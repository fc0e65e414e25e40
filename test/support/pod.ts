import type { Exit } from './stack/part.ts';
import { type PodPorts, startPodProcess } from './stack/pods.ts';

export type { Exit };

/** A Crosspod process of its own, as `npm start` runs it. */
export interface Pod {
  readonly url: string;
  readonly wsUrl: string;
  readonly opsUrl: string;
  /** What to give `startPod` so that the next pod listens where this one did. */
  readonly ports: PodPorts;
  /** Sends the signal (SIGTERM) and waits for the end of the process. */
  stop(signal?: NodeJS.Signals): Promise<Exit>;
  /** SIGKILL: the process gets no chance to say goodbye. */
  kill(): Promise<Exit>;
  /** SIGSTOP: its connections stay open and it does nothing any more. */
  freeze(): void;
  /** SIGCONT: it goes on where it was. */
  thaw(): void;
  /** Sends a signal that does not end it. */
  signal(signal: NodeJS.Signals): void;
  /** Everything it wrote so far, stdout and stderr. */
  output(): string;
}

/**
 * Starts a pod and waits until it is ready. It sees only the settings given here, neither those of the shell nor a
 * `.env` of the repository; ports that are not given are chosen, and messages are not limited unless a test asks.
 * Throws with the pod's output when it ends first or is not ready within 20 s.
 */
export function startPod(env: Readonly<Record<string, string>> = {}): Promise<Pod> {
  return startPodProcess('pod', env);
}
