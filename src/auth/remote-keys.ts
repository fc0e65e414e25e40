import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { Clock } from '../core/ports/clock.ts';

/** A key that was removed from the set is accepted for at most this long. */
const REFRESH_MS = 600_000;
/** The first pause while no key set is known. It is short, because every client waits for the next attempt. */
const FIRST_PAUSE_MS = 250;

export interface RemoteKeysOptions {
  /** Loads the key set from the key server; rejects if that fails. */
  readonly load: () => Promise<unknown>;
  readonly clock: Pick<Clock, 'elapsed'>;
  /**
   * JWKS_COOLDOWN_SECONDS: the least time between two requests, so that tokens with unknown keys cannot flood the
   * server.
   */
  readonly cooldownMs: number;
  /** JWKS_STALE_SECONDS: how long a key set stays valid after its refresh was due, while the server is unavailable. */
  readonly staleMs: number;
  /** Called after each failed attempt. */
  readonly failed: () => void;
}

/** No key set is known, and none can be loaded now. */
export class KeysUnavailable extends Error {}

/** This pod's copy of the key set at JWKS_URL (RFC 7517 section 5). */
export class RemoteKeys {
  readonly #options: RemoteKeysOptions;
  #known: ReturnType<typeof createLocalJWKSet> | undefined;
  /** The names of the keys that the last change removed from the set. */
  #removed: ReadonlySet<string> = new Set();
  #loadedAt = 0;
  /** When the last attempt ended. */
  #triedAt: number | undefined;
  #attempt: Promise<void> | undefined;
  /** Failed attempts since the last success. */
  #failures = 0;

  constructor(options: RemoteKeysOptions) {
    this.#options = options;
  }

  /** The key of a token. Raises KeysUnavailable, and jose's error if the set has no such key. */
  readonly key: JWTVerifyGetKey = async (header, token) => {
    await this.#keepFresh();
    if (this.#known === undefined) throw new KeysUnavailable();
    return this.#known(header, token);
  };

  /**
   * Loads the set again, if the cooldown permits, for a token whose key `kid` is unknown. Returns true if the key does
   * not exist unless it is known now: the set was loaded after this call, or the key was removed from it. Returns false
   * if the key may be newer than the set. Raises KeysUnavailable.
   */
  async refresh(kid: string | undefined): Promise<boolean> {
    const isInFlight = this.#attempt !== undefined;
    if (!isInFlight && this.waitMs > 0) return kid !== undefined && this.#removed.has(kid);
    await this.#try();
    return !isInFlight;
  }

  /** The last attempt failed. */
  get isUnavailable(): boolean {
    return this.#failures > 0;
  }

  /** How long until the next attempt is permitted, in milliseconds. */
  get waitMs(): number {
    if (this.#triedAt === undefined) return 0;
    return Math.max(0, this.#pauseMs - this.#since(this.#triedAt));
  }

  get #pauseMs(): number {
    const { cooldownMs } = this.#options;
    if (this.#known !== undefined) return cooldownMs;
    return this.#failures < 2 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (this.#failures - 2), cooldownMs);
  }

  /** Waits for the server only if the known key set cannot be used. */
  async #keepFresh(): Promise<void> {
    if (this.#known !== undefined && this.#since(this.#loadedAt) < REFRESH_MS) return;
    if (this.#attempt === undefined && this.waitMs > 0) return;
    const attempt = this.#try().catch(() => undefined);
    if (this.#known === undefined || !this.isUnavailable || this.#isStale) await attempt;
  }

  #try(): Promise<void> {
    this.#attempt ??= this.#load().finally(() => {
      this.#attempt = undefined;
      this.#triedAt = this.#options.clock.elapsed();
    });
    return this.#attempt;
  }

  async #load(): Promise<void> {
    try {
      this.#replace(createLocalJWKSet((await this.#options.load()) as JSONWebKeySet));
      this.#loadedAt = this.#options.clock.elapsed();
      this.#failures = 0;
    } catch {
      this.#failures += 1;
      if (this.#isStale) this.#known = undefined;
      this.#options.failed();
      throw new KeysUnavailable();
    }
  }

  #replace(next: ReturnType<typeof createLocalJWKSet>): void {
    const now = namesIn(next);
    const removed = namesIn(this.#known).filter((name) => !now.includes(name));
    if (removed.length > 0) this.#removed = new Set(removed);
    this.#known = next;
  }

  get #isStale(): boolean {
    return this.#since(this.#loadedAt) >= REFRESH_MS + this.#options.staleMs;
  }

  /** In milliseconds, by the monotonic clock. */
  #since(moment: number): number {
    return this.#options.clock.elapsed() - moment;
  }
}

function namesIn(keys: ReturnType<typeof createLocalJWKSet> | undefined): string[] {
  return keys?.jwks().keys.flatMap(({ kid }) => kid ?? []) ?? [];
}
