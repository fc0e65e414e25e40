import { Crosspod, type CrosspodError, type Member, type Room, type State } from 'crosspod-client';

/** What the types must let pass and what they must not; only ever type-checked. */

interface Lobby {
  chat: { text: string };
  typing: { on: boolean };
}

interface Signals {
  signal: { n: number };
}

export function right(client: Crosspod, lobby: Room<Lobby>, anything: Room): void {
  lobby.on('chat', ({ data, from, id, timestamp }) => [data.text, from, id, timestamp].join(''));
  lobby.on('typing', ({ data }) => data.on satisfies boolean);
  lobby.onMessage(({ data }) => ('text' in data ? data.text : data.on));
  const id: Promise<string> = lobby.send({ text: 'hi' });
  void id.catch((error: CrosspodError) => (error.code === 'queue_full' ? error.retryAfterMs : error.message));
  void lobby.send({ on: true }, { event: 'typing', ephemeral: true });
  void anything.send([1, 'two', null]);
  void anything.send({ whatever: 1 }, { event: 'whatever' });
  anything.on('whatever', ({ data }) => data satisfies unknown);
  const members: readonly Member[] = lobby.members;
  client.onState((state, closed) => [state satisfies State, closed?.code, members.length]);
  void client.broadcast('to everybody');
  const off: () => void = client.onMessage(({ room }) => room);
  off();
}

export function wrong(client: Crosspod, lobby: Room<Lobby>, signals: Room<Signals>): void {
  // @ts-expect-error -- there is no such event
  lobby.on('chatt', () => {});
  // @ts-expect-error -- a chat has no such field
  lobby.on('chat', ({ data }) => data.on);
  // @ts-expect-error -- that is what a typing carries
  void lobby.send({ on: true });
  // @ts-expect-error -- that is what a chat carries
  void lobby.send({ text: 'hi' }, { event: 'typing' });
  // @ts-expect-error -- there is no such event
  void lobby.send({ text: 'hi' }, { event: 'chatt' });
  // @ts-expect-error -- this room has no chats, so the event must be named
  void signals.send({ n: 1 });
  // @ts-expect-error -- history is a number
  void lobby.join({ history: 'all' });
  // @ts-expect-error -- no such state
  client.onState((state) => state === 'gone');
  // @ts-expect-error -- who is here is not for the application to change
  lobby.members.push({ user_id: 'eve', status: 'online' });
  // @ts-expect-error -- no such status
  lobby.setPresence('busy');
  // @ts-expect-error -- where to connect must be said
  void new Crosspod();
  // @ts-expect-error -- a token is a text
  void new Crosspod('wss://example.com/ws', { getToken: () => 5 });
}
