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

/** The size of the answer's head, in bytes; 0 while it is not complete. Throws when the upgrade was refused. */
export function headSize(bytes: Buffer): number {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return 0;
  const [status] = bytes.toString('latin1', 0, end).split('\r\n');
  if (status?.startsWith('HTTP/1.1 101') !== true) throw new Error(`upgrade refused: ${status}`);
  return end + 4;
}
