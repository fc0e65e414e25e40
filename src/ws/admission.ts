import { offersTokenAlone, type RequestHead, tokenOf } from './token.ts';
import { bad, readTarget, type Target } from './target.ts';
import { Bucket } from '../core/base/rate-limit.ts';
import type { IncomingHttpHeaders } from 'node:http';
import { isUserId } from '../protocol/names.ts';
import type { Origins } from '../core/base/origins.ts';
import { namedHost } from '../core/base/named-host.ts';
import type { TrustedProxies } from '../core/base/trusted-proxies.ts';
import { whyDenied } from '../core/commands/deny.ts';
import { isOthersRoom, mayJoin } from '../core/commands/may-join.ts';
import type { Hooks, Occasion } from '../core/ports/hooks.ts';
import type { Pod } from '../core/commands/pod.ts';
import type { Permissions, Principal } from '../core/ports/principal.ts';
import { refusalOf, retryLater, type UpgradeRefusal } from '../core/base/upgrade-refusal.ts';
import {
  addressJoin,
  type Admitted,
  arrival,
  type Asked,
  identifiedIn,
  MISSING_TOKEN,
  passedOn,
  viewOfAdmitted,
} from './admitted.ts';
import type { RefusedToken } from '../core/ports/authenticator.ts';
import { EVERY_CLIENT, UNRESTRICTED } from '../core/base/permissions.ts';
import { isUnavailable, Refused } from '../core/base/refused.ts';
import { whyUnchecked } from '../core/base/unchecked-token.ts';

/** Another pod accepts the client at once. It must return within the grace period of its presence. */
const RETRY_ELSEWHERE_SECONDS = 1;
/** RFC 6455 section 7.1.5. */
export const NO_CLOSE_FRAME = 1006;

export interface AdmissionOptions {
  readonly pod: Pod;
  /** Where WebSockets are served (WS_PATHS). */
  readonly paths: readonly string[];
  readonly origins: Origins;
  /** The proxies whose `X-Forwarded-Host` counts. */
  readonly trustProxy: TrustedProxies;
  /** The address of a client, behind the trusted proxies. */
  readonly remoteOf: (request: RequestHead) => string;
  readonly watermarks: { readonly exceeded: boolean };
  /** Whether API keys are configured: then a client without a token is not the server. */
  readonly hasKeys: boolean;
}

/** Decides whether an upgrade becomes a connection. Cheap checks come first, the token last. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #handshakes: Bucket;
  readonly #explanations: Bucket;
  #draining = false;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    const { clock, limits } = options.pod;
    const perSecond = limits.handshakesPerSecond;
    this.#handshakes = new Bucket(perSecond, perSecond, clock.elapsed());
    // A bucket of its own, so that `?explain=1` takes no handshake from a client.
    this.#explanations = new Bucket(perSecond, perSecond, clock.elapsed());
  }

  /** From now on every upgrade is refused. */
  drain(): void {
    this.#draining = true;
  }

  /** `id` is the id of the connection, and of the user if the request names none. */
  async admit(request: RequestHead, id: string): Promise<Admitted | UpgradeRefusal> {
    const target = readTarget(request.url ?? '', this.#options.paths);
    if ('status' in target) return target;
    const refusal = this.#refuseRequest(request) ?? this.#refuseNow();
    if (refusal !== undefined) return refusal;
    const identified = this.#identify(request, target, id);
    const known = identified instanceof Promise ? await identified : identified;
    if (known !== undefined && 'status' in known) return known;
    const denied = known && this.#refuseDenied(known);
    if (denied !== undefined) return denied;
    const { hooks } = this.#options.pod;
    const admitted = await (hooks === undefined
      ? this.#seat(identifiedIn({ id, target, known }), id)
      : this.#admitWith(hooks, this.#askedBy(hooks, request, target, known, id)));
    if ('status' in admitted) return admitted;
    const isFull = await this.#takePlace(id, admitted);
    if (isFull !== undefined) this.dismiss(id, admitted);
    return isFull ?? admitted;
  }

  /**
   * How an upgrade would be refused now, for clients whose WebSocket does not show it; undefined if it would succeed.
   * Does not check onConnect and MAX_CONNECTIONS_PER_USER, because these checks have side effects.
   */
  async explain(request: RequestHead): Promise<UpgradeRefusal | undefined> {
    const target = readTarget(request.url ?? '', this.#options.paths);
    if ('status' in target) return target;
    const asked = { ...request, headers: withOrigin(request.headers) };
    const now = this.#options.pod.clock.elapsed();
    const wait = Math.max(this.#handshakes.wait(now), this.#explanations.take(now));
    const refusal =
      this.#refuseRequest(asked) ?? this.#refuseDraining() ?? refuseRate(wait) ?? this.#refuseFull();
    if (refusal !== undefined) return refusal;
    const id = this.#options.pod.ids.connection();
    const known = await this.#identify(request, target, id);
    if (known !== undefined && 'status' in known) return known;
    const denied = known && this.#refuseDenied(known);
    if (denied !== undefined) return denied;
    return this.#explainTo(this.#askedBy(this.#options.pod.hooks, request, target, known, id));
  }

  async #explainTo(asked: Asked): Promise<UpgradeRefusal | undefined> {
    const { pod } = this.#options;
    const { hooks } = pod;
    const arrived = await this.#withGrant(
      hooks?.identifies ? await this.#arrival(hooks, asked, 'explain') : identifiedIn(asked),
    );
    if ('status' in arrived) return arrived;
    const refusal = this.#refuseDenied(arrived.principal) ?? this.#refuseRoom(arrived);
    if (refusal !== undefined || hooks === undefined) return refusal;
    const join = await addressJoin(pod, hooks, arrived, asked.id);
    return 'status' in join ? join : undefined;
  }

  /** Ends an admitted connection that was not opened: frees its place, and tells the hooks that accepted it. */
  dismiss(id: string, admitted: Admitted): void {
    this.#release(id, admitted);
    this.#options.pod.hooks?.disconnected(viewOfAdmitted(id, admitted), NO_CLOSE_FRAME);
  }

  #release(id: string, { principal, target }: Admitted): void {
    const { directory, roster } = this.#options.pod;
    const { userId } = principal;
    void directory.release(userId, id);
    const { room } = target.address;
    if (room !== undefined) void roster.places.release(room, { connectionId: id, userId });
  }

  /**
   * Hooks that may name the user are asked first, since the limits are those of that user. Others come last, because a
   * hook must learn the end of each connection that it accepted.
   */
  async #admitWith(hooks: Hooks, asked: Asked): Promise<Admitted | UpgradeRefusal> {
    const { pod } = this.#options;
    const { id } = asked;
    const first = hooks.identifies ? await this.#arrival(hooks, asked, 'connect') : identifiedIn(asked);
    if ('status' in first) return first;
    const seated = await this.#seat(first, id);
    if ('status' in seated) {
      if (hooks.identifies) hooks.disconnected(viewOfAdmitted(id, first), NO_CLOSE_FRAME);
      return seated;
    }
    const arrived = hooks.identifies ? seated : await this.#arrival(hooks, asked, 'connect');
    const last = 'status' in arrived ? arrived : { ...arrived, isGranted: seated.isGranted };
    if ('status' in last) {
      this.#release(id, seated);
      return last;
    }
    const join = await addressJoin(pod, hooks, last, id);
    // The pod may have filled up or begun to drain while the hooks ran.
    const refusal = 'status' in join ? join : this.#refuseAdmitted(last);
    if (refusal !== undefined) this.dismiss(id, last);
    return refusal ?? { ...last, welcome: { ...last.welcome, ...join } };
  }

  /** Takes one of the user's places, if that is limited. */
  async #seat(arrived: Admitted | UpgradeRefusal, id: string): Promise<Admitted | UpgradeRefusal> {
    const admitted = await this.#withGrant(arrived);
    if ('status' in admitted) return admitted;
    const last = this.#refuseAdmitted(admitted);
    if (last !== undefined) return last;
    if (this.#options.pod.limits.maxConnectionsPerUser === 0) return admitted;
    const lastOfAll = await this.#refuseUser(admitted.principal, id);
    if (lastOfAll !== undefined) return lastOfAll;
    // The pod may have filled up or begun to drain while Redis answered.
    const late = this.#refuseAdmitted(admitted);
    if (late !== undefined) this.#release(id, admitted);
    return late ?? admitted;
  }

  /**
   * Takes a place in the room of the address, if the room's rule limits its members. Comes last, because it takes the
   * place if it does not refuse.
   */
  async #takePlace(id: string, { principal, target }: Admitted): Promise<UpgradeRefusal | undefined> {
    const { places } = this.#options.pod.roster;
    const { room, lastId } = target.address;
    if (room === undefined || !places.isLimited(room)) return undefined;
    try {
      await places.take(room, { connectionId: id, userId: principal.userId }, lastId !== undefined);
      return undefined;
    } catch (error) {
      if (error instanceof Refused)
        return refusalOf({ kind: 'refuse', by: 'hook', rejection: error.rejection });
      throw error;
    }
  }

  #askedBy(
    hooks: Hooks | undefined,
    request: RequestHead,
    target: Target,
    known: Principal | undefined,
    id: string,
  ): Asked {
    const { passedHeaders } = hooks ?? {};
    const everyClient = this.#options.pod.authenticator === undefined ? this.#everyClient : undefined;
    if (passedHeaders === undefined) return { id, target, known, everyClient };
    const remote = this.#options.remoteOf(request);
    return {
      id,
      target,
      known,
      everyClient,
      source: { headers: passedOn(request.headers, passedHeaders), remote },
    };
  }

  /** What a client may do while authentication is off. */
  get #everyClient(): Permissions {
    return this.#options.hasKeys ? EVERY_CLIENT : UNRESTRICTED;
  }

  #arrival(hooks: Hooks, asked: Asked, occasion: Occasion): Promise<Admitted | UpgradeRefusal> {
    return arrival(hooks, asked, occasion, this.#options.pod.clock.now());
  }

  #refuseDraining(): UpgradeRefusal | undefined {
    return this.#draining ? retryLater(503, 'draining', 'draining', RETRY_ELSEWHERE_SECONDS) : undefined;
  }

  /** Repeats the checks whose result may have changed while a token, Redis or a hook was awaited. */
  #refuseAdmitted(admitted: Admitted): UpgradeRefusal | undefined {
    return (
      this.#refuseDraining() ??
      this.#refuseDenied(admitted.principal) ??
      this.#refuseRoom(admitted) ??
      this.#refuseFull()
    );
  }

  #refuseDenied(principal: Principal): UpgradeRefusal | undefined {
    const denied = whyDenied(this.#options.pod.denylist, principal);
    return (
      denied && { status: denied.code === 'blocked' ? 403 : 401, error: denied.error, code: denied.code }
    );
  }

  #refuseRoom({ principal, target, welcome, isGranted }: Admitted): UpgradeRefusal | undefined {
    const { room } = target.address;
    const { pod } = this.#options;
    if (room === undefined || isGranted || mayJoin(pod, principal, room)) return undefined;
    if (welcome?.rooms?.includes(room) && !isOthersRoom(pod, principal.userId, room)) return undefined;
    return { status: 403, error: 'no permission to join the room', code: 'forbidden' };
  }

  /** Looks up whether the API gave the user the room in the address, unless the user may join it anyway. */
  async #withGrant(arrived: Admitted | UpgradeRefusal): Promise<Admitted | UpgradeRefusal> {
    if ('status' in arrived || this.#refuseRoom(arrived) === undefined) return arrived;
    const { grants } = this.#options.pod;
    const { room = '' } = arrived.target.address;
    try {
      return { ...arrived, isGranted: (await grants.leftMs(arrived.principal.userId, room)) > 0 };
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      return retryLater(503, 'whether you may join the room cannot be checked now', 'unavailable');
    }
  }

  #refuseRequest(request: RequestHead): UpgradeRefusal | undefined {
    const { origin } = request.headers;
    // Without an origin it is not a browser.
    if (origin !== undefined && !this.#allows(origin, request)) {
      return { status: 403, error: 'origin not allowed', code: 'origin_not_allowed' };
    }
    if (offersTokenAlone(request)) {
      return {
        status: 400,
        error: 'offer the subprotocol of a dialect beside bearer.<token>',
        code: 'missing_dialect',
      };
    }
    return undefined;
  }

  #allows(origin: string, { headers, socket }: RequestHead): boolean {
    const { origins, trustProxy } = this.#options;
    const forwardedHost = [headers['x-forwarded-host']].flat()[0];
    const named = { host: headers.host, forwardedHost, peer: socket?.remoteAddress };
    return origins.allow(origin, namedHost(named, trustProxy));
  }

  #refuseNow(): UpgradeRefusal | undefined {
    const draining = this.#refuseDraining();
    if (draining !== undefined) return draining;
    return refuseRate(this.#handshakes.take(this.#options.pod.clock.elapsed())) ?? this.#refuseFull();
  }

  #refuseFull(): UpgradeRefusal | undefined {
    const { hub, limits } = this.#options.pod;
    if (hub.connectionCount >= limits.maxConnections) {
      return retryLater(503, 'server at capacity', 'server_at_capacity');
    }
    if (!this.#options.watermarks.exceeded) return undefined;
    return retryLater(503, 'the pod is overloaded', 'overloaded');
  }

  /** Undefined if nothing names the user yet, but hooks may. */
  #identify(
    request: RequestHead,
    target: Target,
    id: string,
  ): Principal | undefined | UpgradeRefusal | Promise<Principal | UpgradeRefusal> {
    const { authenticator, hooks } = this.#options.pod;
    const othersName = hooks?.identifies === true;
    if (authenticator === undefined) {
      return othersName ? undefined : unauthenticated(target.userId ?? id, this.#everyClient);
    }
    const token = authenticator.hasNoKeys === true ? undefined : tokenOf(request, target.query);
    if (token === undefined) return othersName ? undefined : MISSING_TOKEN;
    return authenticator
      .authenticate(token)
      .then((result) => ('fault' in result ? refuseToken(result) : result));
  }

  /** Comes last, because it takes one of the user's places if it does not refuse. */
  async #refuseUser({ userId }: Principal, id: string): Promise<UpgradeRefusal | undefined> {
    const { directory, limits } = this.#options.pod;
    const most = limits.maxConnectionsPerUser;
    if (await directory.admit(userId, id, most)) return undefined;
    return retryLater(429, `a user may have at most ${most} connections`, 'too_many_connections');
  }
}

/**
 * A page that asks its own server sends no `Origin` (Fetch standard, 3.2), unlike its WebSocket: take it from
 * `Referer`.
 */
function withOrigin(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const page = URL.parse(headers.referer ?? '');
  const isNavigation = headers['sec-fetch-mode'] === 'navigate';
  if (headers.origin !== undefined || page === null || isNavigation) return headers;
  return { ...headers, origin: `${page.protocol}//${page.host}` };
}

/** `wait` in milliseconds; 0 is no refusal. */
function refuseRate(wait: number): UpgradeRefusal | undefined {
  if (wait === 0) return undefined;
  return retryLater(429, 'too many handshakes', 'rate_limited', Math.ceil(wait / 1_000));
}

/** While authentication is off, the user id of the request counts. */
function unauthenticated(userId: string, permissions: Permissions): Principal | UpgradeRefusal {
  if (isUserId(userId)) return { userId, permissions };
  return bad(
    'user_id must have 1 to 256 printable characters, must not be system, and must not begin with conn: or @',
    'invalid_user_id',
  );
}

/** Has `Retry-After` if the same token may be accepted later (RFC 9110 section 10.2.3). */
function refuseToken(refused: RefusedToken): UpgradeRefusal {
  const { fault, retryAfterMs } = refused;
  const later = retryAfterMs === undefined ? {} : { retryAfterSeconds: Math.ceil(retryAfterMs / 1_000) };
  if (fault !== 'unavailable') return { status: 401, error: fault.replace('_', ' '), code: fault, ...later };
  return { ...retryLater(503, whyUnchecked(refused), fault), ...later };
}
