/** The request that upgrades a connection to WebSocket; the key is fixed, nobody checks the answer to it. */
export function upgradeRequest(path: string): string {
  return [
    `GET ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    '\r\n',
  ].join('\r\n');
}

/** The server wants no connection now, or from this client never. */
export class UpgradeRefused extends Error {
  /** When it may be tried again, where the server says so; in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(head: string) {
    super(`upgrade refused: ${head.split('\r\n', 1)[0]}`);
    const seconds = /^retry-after: *(\d+)/im.exec(head)?.[1];
    this.retryAfterMs = seconds === undefined ? undefined : Number(seconds) * 1000;
  }
}

/** The size of the answer's head, in bytes; 0 while it is not complete. Throws `UpgradeRefused`. */
export function headSize(bytes: Buffer): number {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return 0;
  const head = bytes.toString('latin1', 0, end);
  if (!head.startsWith('HTTP/1.1 101')) throw new UpgradeRefused(head);
  return end + 4;
}
