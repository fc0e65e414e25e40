import { Bucket } from './rate-limit.ts';

/** A bucket holds what two seconds bring: after so many milliseconds without a message it is full, like a new one. */
const FULL_AFTER_MS = 2_000;

interface Rate {
  readonly perSecond: number;
  readonly bucket: Bucket;
  usedAt: number;
}

/** What one publisher may publish in rooms that have a limit of their own: `perSecond`, and twice as many at once. */
export class RoomRates {
  /** The room that was used last is last. */
  readonly #rates = new Map<string, Rate>();

  /** Takes one message. Returns 0, or the milliseconds until the next is allowed. `elapsed` is `Clock.elapsed`. */
  take(room: string, perSecond: number, elapsed: number): number {
    const known = this.#rates.get(room);
    // Another rule may hold since.
    const rate = known?.perSecond === perSecond ? known : newRate(perSecond, elapsed);
    rate.usedAt = elapsed;
    this.#rates.delete(room);
    this.#rates.set(room, rate);
    this.#forgetFull(elapsed);
    return rate.bucket.take(elapsed);
  }

  #forgetFull(elapsed: number): void {
    for (const [room, { usedAt }] of this.#rates) {
      if (elapsed - usedAt < FULL_AFTER_MS) return;
      this.#rates.delete(room);
    }
  }
}

function newRate(perSecond: number, elapsed: number): Rate {
  return { perSecond, bucket: new Bucket(perSecond, perSecond * 2, elapsed), usedAt: elapsed };
}
