import { connect, type Socket } from 'node:net';
import type { Pod } from '../support/pod.ts';

const DEADLINE_MS = 20_000;

export interface Answered {
  /** Of the final answers, in order. */
  readonly statuses: readonly number[];
  readonly text: string;
  /** Whether the server ended the connection. */
  readonly ended: boolean;
}

/** Opens a TCP connection whose faults show only as its end. */
export function dial(pod: Pod): Socket {
  const socket = connect(Number(pod.ports.PORT), '127.0.0.1');
  socket.on('error', () => undefined);
  return socket;
}

/**
 * Writes the bytes and collects what comes until the connection ends, or until there are so many final answers. With
 * `fin` the client's half of the connection ends after the bytes, so that the server waits for nothing more.
 */
export function exchange(
  pod: Pod,
  bytes: Buffer | string,
  { answers = Infinity, fin = false }: { readonly answers?: number; readonly fin?: boolean } = {},
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const socket = dial(pod);
    let text = '';
    const finish = (ended: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ statuses: statusesIn(text), text, ended });
    };
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no end within ${DEADLINE_MS} ms, but: ${JSON.stringify(text.slice(0, 1_000))}`));
    }, DEADLINE_MS);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (isComplete(text, answers)) finish(false);
    });
    socket.once('close', () => finish(true));
    if (fin) socket.end(bytes);
    else socket.write(bytes);
  });
}

function statusesIn(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 ([2-5]\d\d|101) /g)].map(([, status]) => Number(status));
}

/** Every answer's headers are there, and of the last one the body, as far as Content-Length tells. */
function isComplete(text: string, answers: number): boolean {
  if (statusesIn(text).length < answers) return false;
  const last = text.slice(text.lastIndexOf('HTTP/1.1 '));
  const end = last.indexOf('\r\n\r\n');
  if (end === -1) return false;
  const length = /^content-length: (\d+)/im.exec(last.slice(0, end))?.[1] ?? '0';
  return last.length - end - 4 >= Number(length);
}
