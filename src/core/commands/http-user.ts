import type { Action } from '../base/permissions.ts';
import type { ConnectionView } from '../ports/hooks.ts';
import { evidenceOf } from './hook-views.ts';
import type { Principal } from '../ports/principal.ts';
import type { Publisher } from './may-publish.ts';
import type { RoomRates } from '../base/room-rates.ts';

/** A user who asks over HTTP: with a token, or while authentication is off with `?user_id=`. */
export class HttpUser implements Publisher {
  readonly principal: Principal;
  /** Its token has `api:*`: it publishes and reads as the operator's server does. */
  readonly isServer: boolean;
  readonly #remote: string;
  readonly #ratesOf: (userId: string) => RoomRates;

  constructor(
    principal: Principal,
    isServer: boolean,
    remote: string,
    ratesOf: (userId: string) => RoomRates,
  ) {
    this.principal = principal;
    this.isServer = isServer;
    this.#remote = remote;
    this.#ratesOf = ratesOf;
  }

  get userId(): string {
    return this.principal.userId;
  }

  get mayCallApi(): boolean {
    return this.principal.permissions.allowApi;
  }

  get roomRates(): RoomRates {
    return this.#ratesOf(this.userId);
  }

  may(action: Action, name: string): boolean {
    return this.principal.permissions.allow(action, name, this.userId);
  }

  /** As hooks see it. `hasEvidence`: one of them reads what the client showed. */
  view(hasEvidence: boolean): ConnectionView {
    const source = hasEvidence ? { headers: {}, remote: this.#remote } : undefined;
    return { id: null, userId: this.userId, rooms: [], evidence: evidenceOf(source, this.principal) };
  }
}
