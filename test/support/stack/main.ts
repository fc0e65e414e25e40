import { describeAddresses } from './addresses.ts';
import { type EngineName, type Options, parseOptions } from './arguments.ts';
import { runPrompt } from './prompt.ts';
import { type Stack, startStack } from './stack.ts';

const BETWEEN: Readonly<Record<EngineName, string>> = {
  redis: 'Redis',
  sentinel: 'three Redis with Sentinels',
  cluster: 'a Redis Cluster of three masters and three replicas',
  nats: 'NATS',
};

let stack: Stack | undefined;

/** Ends everything, then this process. Where the stack is not complete yet, its guard (guard.ts) does it. */
async function exit(code: number): Promise<void> {
  await stack?.stop();
  process.exit(code);
}

async function main(options: Options): Promise<void> {
  const { pods, engine } = options;
  console.log(`starting ${pods} pods and ${BETWEEN[engine]} …`);
  stack = await startStack({ pods, [engine]: engine === 'redis' ? {} : true });
  console.log(`${describeAddresses(stack)}\n\nready; help lists the commands`);
  await runPrompt(stack);
}

process.once('SIGINT', () => void exit(130));
process.once('SIGTERM', () => void exit(143));
try {
  await main(parseOptions(process.argv.slice(2)));
  await exit(0);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  await exit(1);
}
