import type { HookConnection, HookMessage, HooksModule } from '../../../src/hooks/types.ts';

/** Hooks that do what a message's `data.do` tells them, for test/hooks/pod.test.ts. */

const WAITS: Readonly<Record<string, number>> = { slow: 60, quick: 0 };
const seen: string[] = [];

export const onConnect: HooksModule['onConnect'] = ({ userId, rooms }) => {
  seen.push(`${userId} came to ${rooms.length} rooms`);
  if (userId === 'broken') throw new Error('broken on purpose');
};

export const onDisconnect: HooksModule['onDisconnect'] = ({ userId, rooms }, { code }) => {
  seen.push(`${userId} left ${rooms.join()} with ${code}`);
};

export const onMessage: HooksModule['onMessage'] = ({ id, rooms }: HookConnection, message: HookMessage) => {
  const { do: what } = message.data as { do?: string };
  switch (what) {
    case 'throw':
      throw new Error('a secret');
    case 'hang':
      return new Promise(() => undefined);
    case 'report':
      return { data: { id, rooms, seen, message: { ...message, data: null } } };
    case 'suppress':
      return Promise.resolve(null);
    case undefined:
      return undefined;
    default:
      return new Promise((resolve) => setTimeout(resolve, WAITS[what] ?? 0));
  }
};
