import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { Clock } from '../core/ports/clock.ts';

/** A key that was taken out of the set is taken for good no longer than this. */
const REFRESH_MS = 600_000;
/** Where nothing at all is known every client waits for the next attempt, so that the first ones follow soon. */
const FIRST_PAUSE_MS = 250;

export interface RemoteKeysOptions {
  /** Asks the key server; rejects where it gives none. */
  readonly load: () => Promise<unknown>;
  readonly clock: Pick<Clock, 'elapsed'>;
  /** JWKS_COOLDOWN_SECONDS: the server is asked no more often, whoever shows tokens of unknown keys. */
  readonly cooldownMs: number;
  /** JWKS_STALE_SECONDS: how long a key set that is due to be loaded again is good while the server is away. */
  readonly staleMs: number;
  /** An attempt has failed. */
  readonly failed: () => void;
}

/** There is no key set, and none can be had at present. */
export class KeysUnavailable extends Error {}

/** The key set of JWKS_URL as far as this pod knows it (RFC 7517 section 5). */
export class RemoteKeys {
  readonly #options: RemoteKeysOptions;
  #known: ReturnType<typeof createLocalJWKSet> | undefined;
  /** Names of the keys that were taken out of the set last. */
  #takenOut: ReadonlySet<string> = new Set();
  #loadedAt = 0;
  /** When the last attempt was over. */
  #askedAt: number | undefined;
  #asking: Promise<void> | undefined;
  /** Attempts that failed since the last one that did not. */
  #failures = 0;

  constructor(options: RemoteKeysOptions) {
    this.#options = options;
  }

  /** The key that a token names; raises what jose raises where the set has none, and KeysUnavailable. */
  readonly key: JWTVerifyGetKey = async (header, token) => {
    await this.#keepFresh();
    if (this.#known === undefined) throw new KeysUnavailable();
    return this.#known(header, token);
  };

  /**
   * For a token whose key `kid` is not known: asks again if it may. True if the key is nobody's where it is not known
   * now: it was asked for after this call, or has been taken out of the set; else it may be younger than what is
   * known. Raises KeysUnavailable.
   */
  async refresh(kid: string | undefined): Promise<boolean> {
    const isUnderWay = this.#asking !== undefined;
    if (!isUnderWay && this.waitMs > 0) return kid !== undefined && this.#takenOut.has(kid);
    await this.#ask();
    return !isUnderWay;
  }

  /** The last attempt failed. */
  get isUnavailable(): boolean {
    return this.#failures > 0;
  }

  /** How long nobody is asked again, in milliseconds. */
  get waitMs(): number {
    if (this.#askedAt === undefined) return 0;
    return Math.max(0, this.#pauseMs - this.#since(this.#askedAt));
  }

  get #pauseMs(): number {
    const { cooldownMs } = this.#options;
    if (this.#known !== undefined) return cooldownMs;
    return this.#failures < 2 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (this.#failures - 2), cooldownMs);
  }

  /** While the server is away nobody waits for it whose key may be known. */
  async #keepFresh(): Promise<void> {
    if (this.#known !== undefined && this.#since(this.#loadedAt) < REFRESH_MS) return;
    if (this.#asking === undefined && this.waitMs > 0) return;
    const asking = this.#ask().catch(() => undefined);
    if (this.#known === undefined || !this.isUnavailable || this.#isStale) await asking;
  }

  #ask(): Promise<void> {
    this.#asking ??= this.#load().finally(() => {
      this.#asking = undefined;
      this.#askedAt = this.#options.clock.elapsed();
    });
    return this.#asking;
  }

  async #load(): Promise<void> {
    try {
      this.#take(createLocalJWKSet((await this.#options.load()) as JSONWebKeySet));
      this.#loadedAt = this.#options.clock.elapsed();
      this.#failures = 0;
    } catch {
      this.#failures += 1;
      if (this.#isStale) this.#known = undefined;
      this.#options.failed();
      throw new KeysUnavailable();
    }
  }

  #take(next: ReturnType<typeof createLocalJWKSet>): void {
    const now = namesIn(next);
    const takenOut = namesIn(this.#known).filter((name) => !now.includes(name));
    if (takenOut.length > 0) this.#takenOut = new Set(takenOut);
    this.#known = next;
  }

  get #isStale(): boolean {
    return this.#since(this.#loadedAt) >= REFRESH_MS + this.#options.staleMs;
  }

  /** In milliseconds; whatever is done to the clock. */
  #since(moment: number): number {
    return this.#options.clock.elapsed() - moment;
  }
}

function namesIn(keys: ReturnType<typeof createLocalJWKSet> | undefined): string[] {
  return keys?.jwks().keys.flatMap(({ kid }) => kid ?? []) ?? [];
}
