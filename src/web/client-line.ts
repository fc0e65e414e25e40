import { Crosspod, CrosspodError } from '../client/client.ts';
import type { Closed, Room, State, TokenSource } from '../client/client.ts';
import type { Bench } from './bench.ts';
import { prepareCall } from './client-calls.ts';
import type { FrameFields } from './frames.ts';
import { addressWithoutToken } from './secrets.ts';
import { watchedSockets } from './watched-sockets.ts';

/** A connection by the client package: everything that it tells is recorded, and the frames beneath it as well. */
export class ClientLine {
  readonly #bench: Bench;
  readonly #client: Crosspod;
  readonly #sockets: ReturnType<typeof watchedSockets>;
  /** The names of the rooms that are listened to. */
  readonly #heard = new Set<string>();
  #calls = 0;

  /** Throws where the address is none. */
  constructor(url: string, getToken: TokenSource | undefined, bench: Bench) {
    this.#bench = bench;
    this.#sockets = watchedSockets({
      sent: (frame) => bench.log('sent', frame),
      received: (frame) => bench.log('received', frame),
    });
    const token = getToken === undefined ? {} : { getToken };
    this.#client = new Crosspod(url, { ...token, platform: { WebSocket: this.#sockets.WebSocket } });
    bench.log('line', `the client connects to ${addressWithoutToken(url)}`);
    this.#client.onState((state, closed) => this.#stateChanged(state, closed));
    this.#client.onError((error) => this.#tell('error', wordsOf(error)));
    this.#client.onMessage((message) => this.#tell('message', message));
  }

  /** Makes the call of this name with what the form holds. */
  call(name: string, fields: FrameFields): void {
    const client = this.#client;
    const callee = {
      client,
      // Only for calls of a room: an empty name throws.
      get room(): Room {
        return client.room(fields.place ?? '');
      },
      listen: () => this.#listen(callee.room),
    };
    this.#calls += 1;
    try {
      const { words, make } = prepareCall(name, fields, callee);
      this.#bench.log('call', `#${this.#calls} ${words}`);
      void this.#tellResult(`#${this.#calls}`, make());
    } catch (error) {
      this.#bench.log('result', `#${this.#calls} ${name}: ${wordsOf(error)}`);
    }
  }

  dropLine(): void {
    this.#bench.log('line', 'the socket beneath the client is closed');
    this.#sockets.drop();
  }

  close(): void {
    this.#client.close();
  }

  async #tellResult(call: string, answer: Promise<unknown> | void): Promise<void> {
    if (answer === undefined) return;
    try {
      this.#bench.log('result', `${call} resolves: ${JSON.stringify(await answer)}`);
    } catch (error) {
      this.#bench.log('result', `${call} rejects: ${wordsOf(error)}`);
    }
  }

  #stateChanged(state: State, closed: Closed | undefined): void {
    if (closed === undefined) this.#tell('state', state);
    else this.#tell('state', state, closed);
    if (state === 'closed') this.#bench.show('idle', `closed with ${closed?.code}`);
    else this.#bench.show(state, state === 'connected' ? state : `${state}…`);
  }

  #listen(room: Room): void {
    if (this.#heard.has(room.name)) return;
    this.#heard.add(room.name);
    const tell = (event: string, ...what: readonly unknown[]): void =>
      this.#tell(`${room.name} ${event}`, ...what);
    room.onJoined((joined) => tell('joined', joined));
    room.onMessage((message) => tell('message', message));
    room.onPresence((member) => tell('presence', member));
    room.onMembers((members, count) => tell('members', count, members));
    room.onUnrecovered((gap) => tell('unrecovered', gap));
    room.onLeft((error) => tell('left', error === undefined ? 'by the server' : wordsOf(error)));
  }

  #tell(event: string, ...what: readonly unknown[]): void {
    const words = what.map((each) => (typeof each === 'string' ? each : JSON.stringify(each)));
    this.#bench.log('event', [event, ...words].join(' '));
  }
}

function wordsOf(error: unknown): string {
  return error instanceof CrosspodError ? `${error.code}, ${error.message}` : String(error);
}
