import { offersTokenAlone, type RequestHead, tokenOf } from './token.ts';
import { bad, readTarget, type Target } from './target.ts';
import { Bucket } from '../core/base/rate-limit.ts';
import type { IncomingHttpHeaders } from 'node:http';
import { isUserId } from '../protocol/names.ts';
import type { Origins } from '../core/base/origins.ts';
import { namedHost } from '../core/base/named-host.ts';
import type { TrustedProxies } from '../core/base/trusted-proxies.ts';
import { mayJoin } from '../core/commands/may-join.ts';
import type { Hooks } from '../core/ports/hooks.ts';
import type { Pod } from '../core/commands/pod.ts';
import type { Principal } from '../core/ports/principal.ts';
import type { UpgradeRefusal } from '../core/base/upgrade-refusal.ts';
import type { Rejection } from '../protocol/error-codes.ts';
import type { RefusedToken } from '../core/ports/authenticator.ts';
import { UNRESTRICTED } from '../core/base/permissions.ts';
import { isUnavailable } from '../core/base/refused.ts';
import { whyUnchecked } from '../core/base/unchecked-token.ts';

const RETRY_AFTER_SECONDS = 5;
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
  readonly watermarks: { readonly exceeded: boolean };
}

export interface Admitted {
  readonly target: Target;
  readonly principal: Principal;
  /** The API gave the user the room in the address, which nothing else permits. */
  readonly isGranted?: boolean;
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
    const principal = identified instanceof Promise ? await identified : identified;
    if ('status' in principal) return principal;
    const admitted = await this.#withGrant({ target, principal });
    if ('status' in admitted) return admitted;
    const last = this.#refuseAdmitted(admitted);
    if (last !== undefined) return last;
    if (this.#options.pod.limits.maxConnectionsPerUser === 0) return admitted;
    const lastOfAll = await this.#refuseUser(principal, id);
    if (lastOfAll !== undefined) return lastOfAll;
    // The pod may have filled up or begun to drain while Redis answered.
    const late = this.#refuseAdmitted(admitted);
    if (late !== undefined) this.release(id, admitted);
    return late ?? admitted;
  }

  /**
   * How an upgrade would be refused now, for clients whose WebSocket does not show it; undefined if it would succeed.
   * Does not check hooks and MAX_CONNECTIONS_PER_USER, because these checks have side effects.
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
    const principal = await this.#identify(request, target, this.#options.pod.ids.connection());
    if ('status' in principal) return principal;
    const admitted = await this.#withGrant({ target, principal });
    return 'status' in admitted ? admitted : this.#refuseRoom(admitted);
  }

  /** Frees the place of an admitted connection that was not opened, for MAX_CONNECTIONS_PER_USER. */
  release(id: string, { principal }: Admitted): void {
    void this.#options.pod.directory.release(principal.userId, id);
  }

  /** Asks the hook onConnect. It comes last, because a hook must learn the end of each connection that it accepted. */
  async askHooks(hooks: Hooks, id: string, admitted: Admitted): Promise<UpgradeRefusal | undefined> {
    const who = { id, userId: admitted.principal.userId, rooms: [] };
    const rejection = await hooks.connecting(who);
    if (rejection !== undefined) return refusalOf(rejection);
    // The pod may have filled up or begun to drain while the hook ran.
    const refusal = this.#refuseAdmitted(admitted);
    if (refusal !== undefined) hooks.disconnected(who, NO_CLOSE_FRAME);
    return refusal;
  }

  #refuseDraining(): UpgradeRefusal | undefined {
    return this.#draining ? retryLater(503, 'draining', 'draining', RETRY_ELSEWHERE_SECONDS) : undefined;
  }

  /** Repeats the checks whose result may have changed while a token, Redis or a hook was awaited. */
  #refuseAdmitted(admitted: Admitted): UpgradeRefusal | undefined {
    return this.#refuseDraining() ?? this.#refuseRoom(admitted) ?? this.#refuseFull();
  }

  #refuseRoom({ principal, target, isGranted }: Admitted): UpgradeRefusal | undefined {
    const { room } = target.address;
    if (room === undefined || isGranted || mayJoin(this.#options.pod, principal, room)) return undefined;
    return { status: 403, error: 'no permission to join the room', code: 'forbidden' };
  }

  /** Looks up whether the API gave the user the room in the address, unless the user may join it anyway. */
  async #withGrant(admitted: Admitted): Promise<Admitted | UpgradeRefusal> {
    const { principal, target } = admitted;
    const { room } = target.address;
    const { pod } = this.#options;
    if (room === undefined || mayJoin(pod, principal, room)) return admitted;
    try {
      return { ...admitted, isGranted: (await pod.grants.leftMs(principal.userId, room)) > 0 };
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

  #identify(
    request: RequestHead,
    target: Target,
    id: string,
  ): Principal | UpgradeRefusal | Promise<Principal | UpgradeRefusal> {
    const { authenticator } = this.#options.pod;
    if (authenticator === undefined) return unauthenticated(target.userId ?? id);
    const token = tokenOf(request, target.query);
    if (token === undefined) return { status: 401, error: 'missing token', code: 'missing_token' };
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
function unauthenticated(userId: string): Principal | UpgradeRefusal {
  if (isUserId(userId)) return { userId, permissions: UNRESTRICTED };
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

/** Turns the rejection of a hook into an HTTP answer. */
function refusalOf({ code, error }: Rejection): UpgradeRefusal {
  switch (code) {
    case 'internal':
    case 'unavailable':
      return retryLater(503, error, code);
    case 'rate_limited':
      return retryLater(429, error, code);
    case 'invalid_token':
    case 'token_expired':
      return { status: 401, error, code };
    default:
      return { status: 403, error, code };
  }
}

function retryLater(
  status: number,
  error: string,
  code: UpgradeRefusal['code'],
  retryAfterSeconds = RETRY_AFTER_SECONDS,
): UpgradeRefusal {
  return { status, error, code, retryAfterSeconds };
}
