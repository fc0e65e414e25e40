import type { Platform } from '../client/client.ts';
import { jsonWithoutToken } from './secrets.ts';

/** What goes through the sockets of a client, as text. */
interface Watcher {
  sent(frame: string): void;
  received(frame: string): void;
}

interface WatchedSockets {
  /** For the client's platform. */
  readonly WebSocket: Platform['WebSocket'];
  /**
   * Closes the client's socket beneath it; to the client it is a line that was lost. A page cannot cut a connection,
   * so it ends with a close frame, but one without the code of a client that is done.
   */
  readonly drop: () => void;
}

/** The browser's WebSocket, seen through and within reach. */
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
