import { onTestFinished } from 'vitest';
import { strict as assert } from 'node:assert';
import { closing, codeOf, frame, OPCODE, Peer, pieces, type ServerFrame } from './wire.ts';
import type { Pod } from '../support/pod.ts';

let counter = 0;

/** A client in a room of its own. */
export class Caller {
  readonly peer: Peer;
  readonly room: string;

  private constructor(peer: Peer, room: string) {
    this.peer = peer;
    this.room = room;
  }

  static async join(pod: Pod): Promise<Caller> {
    counter += 1;
    const room = `case-${counter}`;
    const peer = await Peer.open(pod, `/ws/${room}`);
    onTestFinished(() => peer.end());
    await peer.until(({ payload }) => payload.includes('"event":"joined"'));
    return new Caller(peer, room);
  }

  /** A chat frame whose data are these bytes within quotes, as they are. */
  chat(data: Buffer | string): Buffer {
    return Buffer.concat([
      Buffer.from(`{"type":"chat","room":"${this.room}","data":"`),
      Buffer.from(data),
      Buffer.from('"}'),
    ]);
  }

  /** One of exactly so many bytes. */
  sized(bytes: number): Buffer {
    return this.chat('*'.repeat(bytes - this.chat('').length));
  }

  /** The next frame is the message back with these data. */
  async expectEcho(data: Buffer | string): Promise<void> {
    const { opcode, payload } = await this.#next();
    assert.equal(opcode, OPCODE.text, payload.toString('latin1', 0, 200));
    const message = JSON.parse(payload.toString()) as { type?: unknown; data?: unknown };
    assert.equal(message.type, 'chat', payload.toString('latin1', 0, 200));
    // Compared by hand: nobody wants to read a difference of a megabyte.
    assert.ok(message.data === JSON.parse(`"${data.toString()}"`), 'the data came back changed');
  }

  async expectEchoOf(chat: Buffer): Promise<void> {
    const { data } = JSON.parse(chat.toString()) as { data: string };
    await this.expectEcho(JSON.stringify(data).slice(1, -1));
  }

  async expectError(code: string): Promise<void> {
    const { payload } = await this.#next();
    const answer = JSON.parse(payload.toString()) as { type?: unknown; data?: { code?: unknown } };
    assert.deepEqual([answer.type, answer.data?.code], ['error', code]);
  }

  async expectPong(payload: Buffer | string): Promise<void> {
    assert.deepEqual(await this.#next(), { opcode: OPCODE.pong, payload: Buffer.from(payload) });
  }

  /** The next frame is a close frame with this code, and then the connection ends. */
  async expectClose(...codes: number[]): Promise<void> {
    const next = await this.#next();
    assert.equal(next.opcode, OPCODE.close, next.payload.toString('latin1', 0, 200));
    assert.ok(codes.includes(codeOf(next)), `closed with ${codeOf(next)}, not with ${codes.join(' or ')}`);
    this.peer.socket.end(frame(OPCODE.close, Buffer.of(3, 232)));
    await this.peer.ended();
  }

  /** The connection works: it is asked, answers, and closes as it should. */
  async expectHealthy(): Promise<void> {
    this.peer.send(frame(OPCODE.ping, 'healthy?'));
    await this.expectPong('healthy?');
    this.peer.send(closing(1000));
    await this.expectClose(1000);
  }

  async #next(): Promise<ServerFrame> {
    const next = await this.peer.next();
    if (next === undefined) throw new Error('the server ended the connection without a close frame');
    return next;
  }
}

/** How bytes are cut for the wire. */
export type Chop = 'all at once' | 'frame by frame' | 'byte by byte';
export const CHOPS: readonly Chop[] = ['all at once', 'frame by frame', 'byte by byte'];

export async function send(
  { peer }: Caller,
  frames: readonly Buffer[],
  chop: Chop = 'all at once',
): Promise<void> {
  if (chop === 'all at once') peer.send(...frames);
  else await peer.sendChopped(chop === 'frame by frame' ? frames : pieces(Buffer.concat(frames), 1));
}
