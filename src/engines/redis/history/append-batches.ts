import { type Encoded, encoded, EncodedArguments } from '../connection/script-command.ts';
import { AppendTexts } from './append-texts.ts';
import { ANSWER_MS, CLAIM_MS, POSITION_MS, SENT_SKEW_MS } from '../../shared/terms.ts';
import type { HistoryLimits } from '../../../core/ports/room-rules.ts';
import type { Backbone } from '../connection/backbone.ts';
import type { Publication } from '../../shared/publication.ts';
import { type Script, scriptsIn } from '../connection/script.ts';
import type { Shard } from '../connection/shard.ts';

export const APPEND: Script = scriptsIn('history')('append');

/** So long after it was sent a publication without an answer has timed out, and may have been sent again. */
const LATE_MS = ANSWER_MS + 500;
/** A batch takes no more: Redis serves nobody else while it runs one. */
const MOST_MESSAGES = 100;
const MOST_BYTES = 262_144;

/** A message that was appended; `prev` is absent if that had been done before. */
export interface Added {
  readonly id: string;
  readonly prev?: string | undefined;
}

interface Item {
  readonly publication: Publication;
  /** As it was before this attempt. */
  readonly sentAt: number | undefined;
  readonly settle: (added: Added | Error) => void;
}

interface Batch {
  readonly items: Item[];
  bytes: number;
}

/**
 * Sends the publications that one turn of the event loop brings for one server as one command. In a Cluster a script may
 * use one slot only, so that each room has batches of its own.
 */
export class AppendBatches {
  readonly #backbone: Backbone;
  readonly #isClustered: boolean;
  readonly #texts: AppendTexts;
  readonly #constants: Encoded;
  /** Those that are not sent yet, by room in a Cluster. */
  readonly #open = new Map<Shard, Map<string, Batch>>();

  constructor(backbone: Backbone, limitsOf: (room: string) => HistoryLimits) {
    this.#backbone = backbone;
    this.#isClustered = backbone.keys.clustered;
    this.#texts = new AppendTexts(backbone.keys, limitsOf);
    this.#constants = encoded([POSITION_MS, CLAIM_MS, LATE_MS, backbone.pod]);
  }

  /** Calls `settle` with what became of it, never before it returns. */
  add(shard: Shard, publication: Publication, settle: (added: Added | Error) => void): void {
    const { room, body, sentAt } = publication;
    const batches = this.#open.get(shard) ?? new Map<string, Batch>();
    this.#open.set(shard, batches);
    const name = this.#isClustered ? room : '';
    let batch = batches.get(name);
    if (
      batch === undefined ||
      batch.items.length >= MOST_MESSAGES ||
      batch.bytes + body.length > MOST_BYTES
    ) {
      const opened: Batch = { items: [], bytes: 0 };
      batch = opened;
      batches.set(name, opened);
      shard.beforeNext(() => {
        if (batches.get(name) === opened) batches.delete(name);
        if (batches.size === 0) this.#open.delete(shard);
        this.#send(shard, opened.items);
      });
    }
    batch.items.push({ publication, sentAt, settle });
    batch.bytes += body.length;
  }

  #send(shard: Shard, items: readonly Item[]): void {
    if (!shard.up) {
      // Its epoch is not known.
      shard.invoke(APPEND, [], encoded([]), (outcome) => {
        for (const { settle } of items) settle(outcome as Error);
      });
      return;
    }
    const { keys } = this.#backbone;
    const names = [keys.epochOf(items[0]?.publication.room ?? '')];
    const rooms = new Map<string, number>();
    const roomTexts = new EncodedArguments();
    for (const { publication } of items) {
      if (rooms.has(publication.room)) continue;
      const text = this.#texts.of(publication.room);
      rooms.set(publication.room, rooms.size + 1);
      names.push(...text.names);
      roomTexts.join(text.constants);
    }
    const messages = new EncodedArguments();
    for (const { publication, sentAt } of items) {
      const { room, body, key, trace = '', provisionalId, lastValue } = publication;
      if (key !== undefined) names.push(keys.claim(room, provisionalId));
      messages.add(String(rooms.get(room)));
      messages.add(key === undefined ? '' : String(names.length));
      messages.add(sentAt === undefined ? '' : String(sentAt - SENT_SKEW_MS));
      messages.add(provisionalId);
      messages.add(trace);
      messages.add(body);
      if (lastValue !== undefined) names.push(keys.lastValue(room, lastValue.slot));
      messages.add(lastValue === undefined ? '' : `${names.length} ${lastValue.ttlMs}`);
    }
    const all = new EncodedArguments();
    for (const name of names) all.add(name);
    all.join(this.#constants);
    for (const one of [shard.epoch, shard.now(), shard.connection, rooms.size]) all.add(String(one));
    all.join(roomTexts);
    all.join(messages);
    shard.invoke(APPEND, names, all, (outcome) => settleAll(shard, names, items, outcome));
  }
}

function settleAll(shard: Shard, names: readonly string[], items: readonly Item[], outcome: unknown): void {
  const replies = outcome instanceof Error ? undefined : (outcome as readonly (string | Error)[]);
  for (const [index, { settle }] of items.entries()) {
    const reply = replies?.[index] ?? (outcome as Error);
    if (reply instanceof Error) settle(reply === outcome ? reply : shard.judge(reply, names));
    else if (reply === '') settle(shard.late());
    else {
      const [id = '', prev] = reply.split(' ');
      settle({ id, prev });
    }
  }
}
