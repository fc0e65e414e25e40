import { describeAddresses } from './addresses.ts';
import type { Part } from './part.ts';
import type { Stack } from './stack.ts';
import { describeStatus } from './status.ts';

/** A part that has not become ready by then is left alone: it may be waiting for another that is down. */
const START_PATIENCE_MS = 5000;

interface Command {
  readonly usage: string;
  readonly help: string;
  /** Does it, and gives what to print. */
  run(stack: Stack, name: string | undefined): string | Promise<string>;
}

const COMMANDS: readonly Command[] = [
  { usage: 'help', help: 'this list', run: () => help() },
  { usage: 'status', help: 'what every part is doing', run: (stack) => describeStatus(stack) },
  { usage: 'addresses', help: 'where every part listens and logs', run: (stack) => describeAddresses(stack) },
  {
    usage: 'kill NAME',
    help: 'SIGKILL: it gets no chance to say goodbye',
    run: onRunning(async (part) => {
      await part.kill();
      return 'is killed';
    }),
  },
  {
    usage: 'stop NAME',
    help: 'SIGTERM, and waits for its end',
    run: onRunning(async (part) => {
      const { code, signal } = await part.stop();
      return `ended with ${code ?? signal}`;
    }),
  },
  {
    usage: 'freeze NAME',
    help: 'SIGSTOP: its connections stay open and it does nothing',
    run: onRunning((part) => {
      part.freeze();
      return 'is frozen';
    }),
  },
  {
    usage: 'thaw NAME',
    help: 'SIGCONT: it goes on',
    run: onRunning((part) => {
      part.thaw();
      return 'goes on';
    }),
  },
  { usage: 'start NAME', help: 'starts again what has ended, on the same port', run: start },
  { usage: 'failover', help: 'asks Sentinel for another master', run: failover },
  { usage: 'quit', help: 'ends everything', run: () => '' },
];

/** Does what a line says, and gives what to print. Throws an error whose message says why it cannot. */
export async function perform(stack: Stack, line: string): Promise<string> {
  const [word = '', name, ...rest] = line.trim().split(/\s+/);
  if (word === '') return '';
  const command = COMMANDS.find(({ usage }) => usage.split(' ')[0] === word);
  if (command === undefined) throw new Error(`${word} is no command; help lists them all`);
  const takesName = command.usage.includes(' ');
  if (rest.length > 0 || takesName !== (name !== undefined)) throw new Error(`usage: ${command.usage}`);
  return command.run(stack, name);
}

function help(): string {
  const lines = COMMANDS.map((command) => `${command.usage.padEnd(12)} ${command.help}`);
  return [...lines, 'NAME is pod-1, redis-1, sentinel-1, haproxy, … as status has them'].join('\n');
}

/** What to do with a part that must be there, and running or frozen. */
function onRunning(act: (part: Part) => string | Promise<string>): Command['run'] {
  return async (stack, name) => {
    const part = find(stack, name);
    if (part.state === 'ended') throw new Error(`${part.name} is not running`);
    return `${part.name} ${await act(part)}`;
  };
}

async function start(stack: Stack, name: string | undefined): Promise<string> {
  const part = find(stack, name);
  part.launch();
  if (await part.becomesReady(START_PATIENCE_MS)) return `${part.name} is ready`;
  if (part.state !== 'ended') return `${part.name} is running, but not ready yet`;
  throw new Error(`${part.name} ended at once:\n${part.output()}`);
}

async function failover({ group }: Stack): Promise<string> {
  if (group === undefined) throw new Error('there is no Sentinel: start the stack with --sentinel');
  return `${(await group.failover()).name} is the master now`;
}

function find(stack: Stack, name = ''): Part {
  const part = stack.parts.get(name);
  if (part === undefined) throw new Error(`${name} is none of ${[...stack.parts.keys()].join(', ')}`);
  return part;
}
