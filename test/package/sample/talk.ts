import { Crosspod, CrosspodError, type Message } from 'crosspod-client';

/** What somebody who installed the package might write; copied into a folder that has nothing else. */

interface Lobby {
  chat: { text: string };
  typing: { on: boolean };
}

export interface Heard {
  chats: string[];
  typing: boolean[];
  direct: unknown[];
  members: string[];
  replayed: string[];
  refusal: string | undefined;
}

/** Two clients talk to each other, a third one comes later; returns what they had of it. */
export async function talk(url: string): Promise<Heard> {
  const [ann, bob, cid] = ['ann', 'bob', 'cid'].map((userId) => new Crosspod(url, { userId }));
  if (ann === undefined || bob === undefined || cid === undefined) throw new Error('unreachable');
  const chats: string[] = [];
  const typing: boolean[] = [];
  const direct: unknown[] = [];
  const room = ann.room<Lobby>('lobby');
  room.on('chat', ({ from, data }) => chats.push(`${from}: ${data.text}`));
  room.on('typing', ({ data }) => typing.push(data.on));
  await room.join();

  const theirs = bob.room<Lobby>('lobby');
  const heard = new Promise<Message>((resolve) => bob.on('chat', resolve));
  await theirs.join();
  await theirs.send({ on: true }, { event: 'typing', ephemeral: true });
  await theirs.send({ text: 'hello' });
  await room.send({ text: 'hello yourself' });
  await ann.sendTo('bob', { text: 'psst' });
  direct.push((await heard).data);
  const members = theirs.members.map(({ user_id: user }) => user).sort();

  const replayed = await history(cid);
  const refusal = await cid
    .room('no room')
    .join()
    .then(
      () => undefined,
      (error: unknown) => (error instanceof CrosspodError ? error.code : String(error)),
    );
  for (const client of [ann, bob, cid]) client.close();
  return { chats, typing, direct, members, replayed, refusal };
}

async function history(client: Crosspod): Promise<string[]> {
  const room = client.room<Lobby>('lobby');
  const texts: string[] = [];
  const all = new Promise<void>((resolve) => {
    room.on('chat', ({ data }) => {
      if (texts.push(data.text) === 2) resolve();
    });
  });
  await room.join({ history: 10 });
  await all;
  return texts;
}
