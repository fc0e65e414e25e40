import type { RedisServer } from '../../../test/support/stack/redis-server.ts';

/** The process id of a part of the stack that runs. */
export function pidOf({ name, pid }: { readonly name: string; readonly pid: number | undefined }): number {
  if (pid === undefined) throw new Error(`${name} does not run`);
  return pid;
}

/** A field of Redis's INFO, as a number. */
export async function info(redis: RedisServer, section: string, field: string): Promise<number> {
  const text = String(await redis.command('INFO', section));
  return Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(text)?.[1]);
}
