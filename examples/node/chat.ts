import { createInterface } from 'node:readline';
import { Crosspod, type CrosspodError } from 'crosspod-client';

/** The data of this room's messages, by event. */
interface Chat {
  chat: { text: string };
}

const [url = process.env['CROSSPOD_URL'] ?? 'ws://localhost:8080/ws', userId = 'guest', name = 'lobby'] =
  process.argv.slice(2);

const over = new AbortController();
const client = new Crosspod(url, { userId });
const room = client.room<Chat>(name);

console.error(`[${client.state}]`);
client.onState((state, ended) => {
  console.error(ended === undefined ? `[${state}]` : `[${state}: ${ended.code} ${ended.reason}]`);
  if (state === 'closed') over.abort();
});
room.on('chat', ({ from, data }) => console.log(`${from}: ${data.text}`));
room.onMembers((members) => console.error(`[here: ${members.map(({ user_id: user }) => user).join(', ')}]`));
room.onUnrecovered(({ reason }) => console.error(`[messages are missing: ${reason}]`));

try {
  await room.join({ history: 10 });
  for await (const text of createInterface({ input: process.stdin, signal: over.signal })) {
    await room.send({ text }).catch((error: CrosspodError) => console.error(`[not sent: ${error.message}]`));
  }
} catch (error) {
  console.error(`[${name} cannot be joined: ${(error as CrosspodError).message}]`);
  process.exitCode = 1;
} finally {
  client.close();
}
