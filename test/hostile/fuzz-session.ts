import { codeOf, frame, OPCODE, Peer, pieces, text } from './wire.ts';
import {
  type Dialect,
  type Fatal,
  fatalFrames,
  mutatedBytes,
  type Survivable,
  survivableFrame,
} from './frame-cases.ts';
import { CLOSE } from '../../src/protocol/close-codes.ts';
import { ERRORS } from '../../src/protocol/error-codes.ts';
import type { Pod } from '../support/pod.ts';
import type { Random } from './random.ts';

const CLOSE_CODES: ReadonlySet<number> = new Set(Object.values(CLOSE).map(({ code }) => code));

interface Answer {
  readonly type?: string;
  readonly event?: string;
  readonly ref?: string;
  readonly code?: string;
  readonly data?: { readonly code?: string };
}

/** How many hostile frames of each kind were sent. */
export type Tally = Map<string, number>;

/**
 * One connection of an attacker: frames that it must survive, each answered as documented, then some that must end
 * it with one of the codes listed for them. Throws where anything else comes.
 */
export async function fuzzSession(pod: Pod, random: Random, tally: Tally): Promise<void> {
  if (random.chance(0.1)) return mutatedSession(pod, random, tally);
  const dialect = random.pick(['message', 'message', 'channel'] as const);
  const peer = await Peer.open(
    pod,
    `/ws?dialect=${dialect}${random.chance(0.2) ? '&user_id=__proto__' : ''}`,
  );
  try {
    const cases = Array.from({ length: random.int(8, 24) }, () => survivableFrame(random, dialect));
    for (const { kind } of cases) count(tally, `${dialect}: ${kind}`);
    await survive(peer, random, dialect, cases);
    const end = fatalFrames(random);
    count(tally, `end: ${end.kind}`);
    await die(peer, random, end);
  } finally {
    peer.end();
  }
}

/** Bytes of valid frames with some of them changed: no single answer is right, but only documented ones may come. */
async function mutatedSession(pod: Pod, random: Random, tally: Tally): Promise<void> {
  const peer = await Peer.open(
    pod,
    random.pick(['/ws', '/ws?dialect=message', '/ws?dialect=channel', '/ws/fuzz-1']),
  );
  const bytes = mutatedBytes(random);
  count(tally, 'mutated bytes');
  try {
    peer.send(bytes);
    // A frame that waits for the rest of a length that was changed: the end of the stream ends it.
    peer.socket.end();
    for (const { opcode, payload } of await peer.until(() => false)) {
      if (opcode === OPCODE.text) checkDocumented(payload);
      if (opcode === OPCODE.close) checkClose(codeOf({ opcode, payload }), bytes);
    }
  } finally {
    peer.end();
  }
}

/** Its code is one that the server may say, or one that the changed bytes said first. */
function checkClose(code: number, sent: Buffer): void {
  if (CLOSE_CODES.has(code) || code === 1005 || sent.some((byte) => (byte & 0x0f) === OPCODE.close)) return;
  throw new Error(`closed with ${code}`);
}

/**
 * After each frame comes a marker, whose answer shows that everything said about the frame has come. Not a ping, which
 * waits for no other command.
 */
async function survive(
  peer: Peer,
  random: Random,
  dialect: Dialect,
  cases: readonly Survivable[],
): Promise<void> {
  const marker = (index: number): string =>
    JSON.stringify(
      dialect === 'message'
        ? { type: 'leave', room: 'marker', ref: `marker-${index}` }
        : { type: 'unsubscribe', channel: 'marker', ref: `marker-${index}` },
    );
  const bytes = Buffer.concat(
    cases.flatMap(({ payload }, index) => [
      text(payload, { mask: random.bytes(4) }),
      ...(random.chance(0.1) ? [frame(OPCODE.ping, random.bytes(random.int(0, 125)))] : []),
      text(marker(index)),
    ]),
  );
  if (random.chance(0.1)) await peer.sendChopped(pieces(bytes, random.int(500, 20_000)));
  else peer.send(bytes);
  for (const [index, one] of cases.entries()) {
    const answers = await answersUntil(peer, `marker-${index}`, one);
    const errors = answers.map(errorCode).filter((code) => code !== undefined);
    const [code = 'none'] = errors;
    if (errors.length > 1 || !(one.allowed as readonly string[]).includes(code)) {
      throw new Error(
        `answered ${errors.join(' and ') || 'without an error'}, allowed: ${one.allowed.join(', ')}; ${show(one)}`,
      );
    }
  }
}

async function answersUntil(peer: Peer, ref: string, sent: Survivable): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (;;) {
    const next = await peer.next();
    if (next === undefined || next.opcode === OPCODE.close) {
      throw new Error(`closed with ${next === undefined ? 'nothing' : codeOf(next)}; ${show(sent)}`);
    }
    if (next.opcode !== OPCODE.text) continue;
    const answer = checkDocumented(next.payload);
    if (answer.ref === ref) return answers;
    answers.push(answer);
  }
}

const TYPES: ReadonlySet<unknown> = new Set([
  'system',
  'chat',
  'notification',
  'ack',
  'error',
  'presence',
  'pong',
  'broadcast',
  'presence_join',
  'presence_sync',
  'presence_update',
  'presence_leave',
  'subscribed',
  'unsubscribed',
  'recovered',
  'members',
]);

/** Only what docs/protocol.md names is ever sent, and `internal` is not for anything that a client can do. */
function checkDocumented(payload: Buffer): Answer {
  const answer = JSON.parse(payload.toString()) as Answer;
  const code = errorCode(answer);
  if (
    !TYPES.has(answer.type) ||
    (code !== undefined && (code === 'internal' || !Object.hasOwn(ERRORS, code)))
  ) {
    throw new Error(`the server sent ${payload.toString().slice(0, 500)}`);
  }
  return answer;
}

function errorCode({ type, code, data }: Answer): string | undefined {
  return type === 'error' ? (code ?? data?.code ?? 'no code') : undefined;
}

async function die(peer: Peer, random: Random, { kind, bytes, codes, after }: Fatal): Promise<void> {
  if (random.chance(0.2))
    await peer.sendChopped(bytes.flatMap((one) => pieces(one, random.int(1_000, 30_000))));
  else peer.send(...bytes);
  if (after === 'reset') return peer.reset();
  if (after === 'fin') peer.socket.end();
  const code = await peer.closeCode();
  if (!codes.includes(code))
    throw new Error(`closed with ${code}, allowed: ${codes.join(', ')}; after: ${kind}`);
  await leave(peer, random);
}

/** Most clients answer the close frame, as they should; others are gone, or do not care. */
async function leave(peer: Peer, random: Random): Promise<void> {
  if (random.chance(0.02)) return peer.reset();
  if (random.chance(0.05)) peer.send(frame(OPCODE.text, 'I did not hear that'));
  peer.socket.end(frame(OPCODE.close, Buffer.of(3, 232)));
  await peer.ended();
}

function count(tally: Tally, kind: string, by = 1): void {
  tally.set(kind, (tally.get(kind) ?? 0) + by);
}

function show({ kind, payload }: Survivable): string {
  return `after: ${kind}: ${JSON.stringify(payload.slice(0, 300))}${payload.length > 300 ? '…' : ''}`;
}
