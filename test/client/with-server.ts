import { onTestFinished } from 'vitest';
import { Crosspod } from '../../src/client/client.ts';
import { ScriptedServer, type Session } from './scripted-server.ts';

/** A client that never waits before it comes back, on a server that does what the test says. */
export async function connected(): Promise<{ client: Crosspod; server: ScriptedServer; session: Session }> {
  const server = await ScriptedServer.start();
  let random = 0;
  const client = new Crosspod(server.url, {
    userId: 'me',
    // Refs are made of random numbers, the wait before a reconnect as well: the first two are for the refs.
    platform: { random: () => (random++ < 2 ? Math.random() : 0) },
  });
  onTestFinished(async () => {
    client.close();
    await server.stop();
  });
  return { client, server, session: await server.session() };
}
