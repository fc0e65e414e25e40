import type { Platform } from '../client/client.ts';
import { jsonWithoutToken } from './secrets.ts';

/** Gets each frame of a client's sockets as text. */
interface Watcher {
  sent(frame: string): void;
  received(frame: string): void;
}

interface WatchedSockets {
  /** To be given to the client as `platform.WebSocket`. */
  readonly WebSocket: Platform['WebSocket'];
  /**
   * Closes the client's socket, which to the client looks like a lost connection. A page cannot cut a connection, so
   * there is a close frame, but without the code that a client sends when it is done.
   */
  readonly drop: () => void;
}

/** A browser's WebSocket whose frames can be watched and which can be closed from outside. */
export function watchedSockets(watcher: Watcher): WatchedSockets {
  let latest: WebSocket | undefined;
  const isLatest = (socket: WebSocket): void => {
    latest = socket;
  };
  class WatchedSocket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      isLatest(this);
      this.addEventListener('message', ({ data }) => watcher.received(String(data)));
    }

    override send(frame: string): void {
      super.send(frame);
      watcher.sent(frame.startsWith('{"type":"auth"') ? jsonWithoutToken(frame) : frame);
    }
  }
  return { WebSocket: WatchedSocket, drop: () => latest?.close() };
}
