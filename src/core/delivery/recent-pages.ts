import { type Delivery, storedDelivery } from './delivery.ts';
import type { Clock } from '../ports/clock.ts';
import type { Dialect } from '../../protocol/dialect.ts';
import type { Framer } from '../ports/socket.ts';
import type { Parcel } from './outbox.ts';
import type { Stored } from '../ports/broker.ts';

/** All pages are dropped so long after the first of them was kept. */
const KEPT_MS = 10_000;
/** Bounds the memory of all pages. When it is reached, all pages are dropped. */
const MOST_BYTES = 16_777_216;
/** Memory of a message besides its body. */
const MESSAGE_BYTES = 600;
/** Bounds of one parcel: an outbox can take some parcels of a page and leave the rest, and no parcel is large. */
export const MOST_MESSAGES = 50;
export const MOST_CHARS = 65_536;

/** A part of a page. All of it is one parcel for each dialect. */
interface Part {
  readonly deliveries: Delivery[];
  chars: number;
  /** By the index of the dialect. */
  parcels: (Parcel | undefined)[];
}

/** Messages of a room that follow each other without a gap. */
interface Run {
  readonly messages: Stored[];
  readonly parts: Part[];
  bytes: number;
}

/**
 * The messages that the rooms of a pod replayed last. Members who return after a drain, or after a pod died, are given
 * nearly the same messages: these are encoded and framed once for each dialect, and on Redis they are read once.
 */
export class RecentPages {
  readonly #framer: Framer;
  readonly #clock: Clock;
  readonly #runs = new Map<string, Run>();
  #bytes = 0;
  #isEndScheduled = false;

  constructor({ framer, clock }: { readonly framer: Framer; readonly clock: Clock }) {
    this.#framer = framer;
    this.#clock = clock;
  }

  /** The kept messages of a room, oldest first, without a gap. */
  messages(room: string): readonly Stored[] {
    return this.#runs.get(room)?.messages ?? [];
  }

  /** The parcels of a page; other members may get the same. */
  parcels(room: string, page: readonly Stored[], dialect: Dialect): Parcel[] {
    if (page.length === 0) return [];
    const { run, start } = this.#find(room, page) ?? { run: this.#begin(room, page), start: 0 };
    const end = start + page.length;
    const parcels: Parcel[] = [];
    let at = 0;
    for (const part of run.parts) {
      const [from, to] = [Math.max(start - at, 0), Math.min(end - at, part.deliveries.length)];
      at += part.deliveries.length;
      if (from >= to) continue;
      const parcel = this.#parcel(room, part, dialect, from, to);
      if (parcel.count > 0) parcels.push(parcel);
    }
    return parcels;
  }

  /** Finds a page among the kept messages, to which its newer ones are added. */
  #find(room: string, page: readonly Stored[]): { readonly run: Run; readonly start: number } | undefined {
    const run = this.#runs.get(room);
    const start = run?.messages.findIndex((stored) => isSame(stored, page[0])) ?? -1;
    if (run === undefined || start === -1) return undefined;
    const rest = run.messages.length - start;
    if (!page.every((stored, index) => index >= rest || isSame(stored, run.messages[start + index])))
      return undefined;
    const newer = page.slice(rest);
    if (newer.length > 0 && !isWithoutGap([...run.messages.slice(-1), ...newer])) return undefined;
    this.#add(run, newer);
    return { run, start };
  }

  #begin(room: string, page: readonly Stored[]): Run {
    const run: Run = { messages: [], parts: [], bytes: 0 };
    const former = this.#runs.get(room);
    // A page from which a member's own messages were removed is no use to others.
    const isKept = isWithoutGap(page);
    if (isKept) {
      this.#bytes -= former?.bytes ?? 0;
      this.#runs.set(room, run);
      this.#scheduleEnd();
    }
    this.#add(run, page, isKept);
    return run;
  }

  #add(run: Run, messages: readonly Stored[], isKept = true): void {
    let bytes = 0;
    for (const stored of messages) {
      const { length } = stored.body;
      let part = run.parts.at(-1);
      if (part === undefined || part.deliveries.length >= MOST_MESSAGES || part.chars >= MOST_CHARS) {
        part = { deliveries: [], chars: 0, parcels: [] };
        run.parts.push(part);
      }
      run.messages.push(stored);
      part.deliveries.push(storedDelivery(stored, this.#framer));
      part.chars += length;
      part.parcels = [];
      bytes += MESSAGE_BYTES + 2 * length;
    }
    run.bytes += bytes;
    if (!isKept) return;
    this.#bytes += bytes;
    if (this.#bytes > MOST_BYTES) this.#dropAll();
  }

  /** The deliveries of a part from index `from` to before `to`. */
  #parcel(room: string, part: Part, dialect: Dialect, from: number, to: number): Parcel {
    const { deliveries, parcels } = part;
    const whole = (parcels[dialect.index] ??= this.#framed(room, deliveries.slice(), dialect));
    if (to - from === deliveries.length) return whole;
    const some = deliveries.slice(from, to);
    if (whole.count !== deliveries.length) return this.#framed(room, some, dialect);
    return { bytes: this.#framer.slice(whole.bytes, from, to), count: some.length, deliveries: some, room };
  }

  #framed(room: string, deliveries: readonly Delivery[], dialect: Dialect): Parcel {
    const texts: string[] = [];
    for (const delivery of deliveries) {
      const text = delivery.text(dialect);
      if (text !== undefined) texts.push(text);
    }
    return { bytes: this.#framer.frames(texts), count: texts.length, deliveries, room };
  }

  #scheduleEnd(): void {
    if (this.#isEndScheduled) return;
    this.#isEndScheduled = true;
    this.#clock.after(KEPT_MS, () => {
      this.#isEndScheduled = false;
      this.#dropAll();
    });
  }

  #dropAll(): void {
    this.#runs.clear();
    this.#bytes = 0;
  }
}

/** A position names one message. */
function isSame(stored: Stored, other: Stored | undefined): boolean {
  return stored === other || stored.id === other?.id;
}

function isWithoutGap(messages: readonly Stored[]): boolean {
  return messages.every(({ prev }, index) => index === 0 || prev === messages[index - 1]?.id);
}
