import { fork } from 'node:child_process';
import type { Order, Outcome } from './worker.ts';

const WORKER = new URL('worker.ts', import.meta.url);

/** Has orders played by so many processes; `done` is told of each as it is finished. Raises an error where a process fails. */
export async function playAll(
  orders: readonly Order[],
  jobs: number,
  done: (outcome: Outcome) => void,
): Promise<void> {
  const waiting = [...orders];
  const work = async (): Promise<void> => {
    const worker = fork(WORKER, { execArgv: ['--disable-warning=ExperimentalWarning'] });
    try {
      for (let order = waiting.shift(); order !== undefined; order = waiting.shift()) {
        done(await outcomeOf(worker, order));
      }
    } finally {
      worker.kill();
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, orders.length) }, work));
}

function outcomeOf(worker: ReturnType<typeof fork>, order: Order): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void =>
      reject(new Error(`the process that played seeds ${order.from} to ${order.to} ended with ${code}`));
    worker.once('exit', ended);
    worker.once('message', (outcome) => {
      worker.off('exit', ended);
      resolve(outcome as Outcome);
    });
    worker.send(order);
  });
}

/** Seeds in parts that are played, and can be resumed, one by one. */
export function ordersOf(from: number, to: number, size: number, placement: Order['placement']): Order[] {
  const orders: Order[] = [];
  for (let first = from; first <= to; first += size) {
    orders.push({ from: first, to: Math.min(to, first + size - 1), placement });
  }
  return orders;
}
