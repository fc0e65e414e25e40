import { Crosspod, CrosspodError } from '../client/client.ts';
import type { Closed, Room, State, TokenSource } from '../client/client.ts';
import type { ConnectionDisplay } from './connection-display.ts';
import { prepareCall } from './client-calls.ts';
import type { FrameFields } from './frames.ts';
import { addressWithoutToken } from './secrets.ts';
import { watchedSockets } from './watched-sockets.ts';

/** A connection by crosspod-client. It logs all events and results of the client, and the frames beneath it. */
export class ClientConnection {
  readonly #display: ConnectionDisplay;
  readonly #client: Crosspod;
  readonly #sockets: ReturnType<typeof watchedSockets>;
  /** The names of the rooms that have listeners. */
  readonly #heard = new Set<string>();
  #calls = 0;

  /** Throws a TypeError if `url` is not a URL. */
  constructor(url: string, getToken: TokenSource | undefined, display: ConnectionDisplay) {
    this.#display = display;
    this.#sockets = watchedSockets({
      sent: (frame) => display.log('sent', frame),
      received: (frame) => display.log('received', frame),
    });
    const token = getToken === undefined ? {} : { getToken };
    this.#client = new Crosspod(url, { ...token, platform: { WebSocket: this.#sockets.WebSocket } });
    display.log('connection', `the client connects to ${addressWithoutToken(url)}`);
    this.#client.onState((state, closed) => this.#stateChanged(state, closed));
    this.#client.onError((error) => this.#tell('error', wordsOf(error)));
    this.#client.onMessage((message) => this.#tell('message', message));
  }

  /** Calls the method `name` with the fields of the form. */
  call(name: string, fields: FrameFields): void {
    const client = this.#client;
    const callee = {
      client,
      // A getter, because an empty name throws, and not every call needs a room.
      get room(): Room {
        return client.room(fields.place ?? '');
      },
      listen: () => this.#listen(callee.room),
    };
    this.#calls += 1;
    try {
      const { words, make } = prepareCall(name, fields, callee);
      this.#display.log('call', `#${this.#calls} ${words}`);
      void this.#tellResult(`#${this.#calls}`, make());
    } catch (error) {
      this.#display.log('result', `#${this.#calls} ${name}: ${wordsOf(error)}`);
    }
  }

  drop(): void {
    this.#display.log('connection', 'the page closes the socket of the client');
    this.#sockets.drop();
  }

  close(): void {
    this.#client.close();
  }

  async #tellResult(call: string, answer: Promise<unknown> | void): Promise<void> {
    if (answer === undefined) return;
    try {
      this.#display.log('result', `${call} resolves: ${JSON.stringify(await answer)}`);
    } catch (error) {
      this.#display.log('result', `${call} rejects: ${wordsOf(error)}`);
    }
  }

  #stateChanged(state: State, closed: Closed | undefined): void {
    if (closed === undefined) this.#tell('state', state);
    else this.#tell('state', state, closed);
    if (state === 'closed') this.#display.show('idle', `closed with ${closed?.code}`);
    else this.#display.show(state, state === 'connected' ? state : `${state}…`);
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
    this.#display.log('event', [event, ...words].join(' '));
  }
}

function wordsOf(error: unknown): string {
  return error instanceof CrosspodError ? `${error.code}, ${error.message}` : String(error);
}
