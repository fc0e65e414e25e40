import type { Block, Denial, Issued } from '../../core/ports/denylist.ts';

/** For so long a removal is remembered: a pod that missed it must not write the entry back. */
export const REMOVAL_MS = 86_400_000;

/** What is known under one key: the entry, or that it was removed. */
export interface DenialRow {
  /** Of two rows with one key the one with the higher version holds. */
  readonly version: number;
  /** When the row ends: the entry, or the memory of its removal. */
  readonly until: number;
  /** Undefined: it was removed. */
  readonly denial: Denial | undefined;
}

type TokensRevoked = Extract<Denial, { kind: 'tokens' }>;

/** The denylist as one pod holds it. */
export class DenialList {
  readonly #now: () => number;
  readonly #rows = new Map<string, DenialRow>();
  /** The revocations of each user's tokens. */
  readonly #ofUser = new Map<string, Map<string, TokensRevoked>>();
  #denied: (denial: Denial) => void = () => undefined;
  /** Of all rows ever taken. */
  #newest = 0;
  #entries = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  get newestVersion(): number {
    return this.#newest;
  }

  /** Entries, including those that have expired since the last `expire`. */
  get entries(): number {
    return this.#entries;
  }

  /** Removals that are remembered. */
  get removals(): number {
    return this.#rows.size - this.#entries;
  }

  rows(): Iterable<readonly [key: string, row: DenialRow]> {
    return this.#rows;
  }

  row(key: string): DenialRow | undefined {
    return this.#rows.get(key);
  }

  /** `denied` is called for each entry in force that is new, and at once for those that are there. */
  start(denied: (denial: Denial) => void): void {
    this.#denied = denied;
    for (const { denial } of this.#rows.values()) if (denial !== undefined) denied(denial);
  }

  stop(): void {
    this.#denied = () => undefined;
  }

  /** Takes a row unless a newer one is known. */
  take(key: string, row: DenialRow): void {
    const former = this.#rows.get(key);
    this.#newest = Math.max(this.#newest, row.version);
    if ((former !== undefined && former.version >= row.version) || row.until <= this.#now()) return;
    this.drop(key);
    this.#rows.set(key, row);
    const { denial } = row;
    if (denial === undefined) return;
    this.#entries += 1;
    if (denial.kind === 'tokens') this.#index(key, denial);
    this.#denied(denial);
  }

  drop(key: string): void {
    const row = this.#rows.get(key);
    if (row === undefined) return;
    this.#rows.delete(key);
    if (row.denial !== undefined) this.#entries -= 1;
    if (row.denial?.kind !== 'tokens') return;
    const { userId } = row.denial;
    const others = this.#ofUser.get(userId);
    others?.delete(key);
    if (others?.size === 0) this.#ofUser.delete(userId);
  }

  /** Drops what has ended, and gives its keys. */
  expire(): string[] {
    const now = this.#now();
    const ended = Array.from(this.#rows).flatMap(([key, { until }]) => (until <= now ? [key] : []));
    for (const key of ended) this.drop(key);
    return ended;
  }

  blockOf(userId: string): Block | undefined {
    const denial = this.#inForce(blockKey(userId));
    return denial?.kind === 'block' ? denial : undefined;
  }

  isRevoked({ userId, jti, issuedAt }: Issued): boolean {
    if (jti !== undefined && this.#inForce(tokenKey(jti)) !== undefined) return true;
    for (const { issuedBefore, until } of this.#ofUser.get(userId)?.values() ?? []) {
      if (until > this.#now() && (issuedAt === undefined || issuedAt < issuedBefore)) return true;
    }
    return false;
  }

  blocks(after: string, limit: number): Block[] {
    const now = this.#now();
    return Array.from(this.#rows.values(), ({ denial }) => denial)
      .filter((denial) => denial?.kind === 'block')
      .filter(({ userId, until }) => userId > after && until > now)
      .sort((a, b) => (a.userId < b.userId ? -1 : 1))
      .slice(0, limit);
  }

  #inForce(key: string): Denial | undefined {
    const row = this.#rows.get(key);
    return row !== undefined && row.until > this.#now() ? row.denial : undefined;
  }

  #index(key: string, denial: TokensRevoked): void {
    const others = this.#ofUser.get(denial.userId) ?? new Map<string, TokensRevoked>();
    this.#ofUser.set(denial.userId, others.set(key, denial));
  }
}

export function blockKey(userId: string): string {
  return `block ${userId}`;
}

function tokenKey(jti: string): string {
  // Issuers may write any text; a key has no line end.
  return `token ${encodeURIComponent(jti.toWellFormed())}`;
}

/** Entries with one key replace each other. */
export function keyOf(denial: Denial): string {
  switch (denial.kind) {
    case 'block':
      return blockKey(denial.userId);
    case 'token':
      return tokenKey(denial.jti);
    case 'tokens':
      return `tokens ${denial.issuedBefore} ${denial.userId}`;
  }
}

/** Undefined for what another program wrote. */
export function readDenial(text: string): Denial | undefined {
  try {
    const denial = JSON.parse(text) as Partial<Denial> | null;
    return typeof denial?.until === 'number' ? (denial as Denial) : undefined;
  } catch {
    return undefined;
  }
}
