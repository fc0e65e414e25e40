import type { Platform } from '../../src/client/client.ts';

/** A machine that counts how often the client knocks at the server's door; otherwise it is Node. */
export function countDials(): { readonly platform: Partial<Platform>; readonly count: number } {
  let count = 0;
  class CountedSocket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      count += 1;
    }
  }
  return {
    platform: { WebSocket: CountedSocket },
    get count() {
      return count;
    },
  };
}
