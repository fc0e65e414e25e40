import { fork } from 'node:child_process';
import type { Order, Outcome, ScenarioOrder } from './worker.ts';

const WORKER = new URL('worker.ts', import.meta.url);

/** Has orders played by so many processes; `done` is told of each as it is finished. Raises an error where a process fails. */
export async function playAll(
  orders: readonly Order[],
  jobs: number,
  done: (outcome: Outcome) => void,
): Promise<void> {
  const waiting = [...orders];
  const work = async (): Promise<void> => {
    const worker = startWorker();
    try {
      for (let order = waiting.shift(); order !== undefined; order = waiting.shift()) {
        done((await answerOf(worker, order)) as Outcome);
      }
    } finally {
      worker.kill();
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, orders.length) }, work));
}

/** The story of a scenario where it breaks a promise; empty where it breaks none. */
export async function storyOfScenario(scenario: string): Promise<string> {
  const worker = startWorker();
  try {
    return (await answerOf(worker, { scenario })) as string;
  } finally {
    worker.kill();
  }
}

function startWorker(): ReturnType<typeof fork> {
  return fork(WORKER, { execArgv: ['--disable-warning=ExperimentalWarning'] });
}

function answerOf(worker: ReturnType<typeof fork>, order: Order | ScenarioOrder): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void =>
      reject(new Error(`the process that played ${JSON.stringify(order)} ended with ${code}`));
    worker.once('exit', ended);
    worker.once('message', (answer) => {
      worker.off('exit', ended);
      resolve(answer);
    });
    worker.send(order);
  });
}

/** Seeds in parts that are played, and can be resumed, one by one. */
export function ordersOf({ from, to, placement, without }: Order, size: number): Order[] {
  const orders: Order[] = [];
  for (let first = from; first <= to; first += size) {
    orders.push({ from: first, to: Math.min(to, first + size - 1), placement, without });
  }
  return orders;
}
