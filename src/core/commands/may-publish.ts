import type { Action } from '../base/permissions.ts';
import type { RoomRates } from '../base/room-rates.ts';
import { DIRECT, GLOBAL } from '../../protocol/names.ts';
import { type Json, utf8Length } from '../../protocol/json.ts';
import { isOthersRoom } from './may-join.ts';
import type { Pod } from './pod.ts';
import { Refused } from '../base/refused.ts';
import { type Rejection, rejection } from '../../protocol/error-codes.ts';

/** A connection, or a user who asks over HTTP. */
export interface Publisher {
  readonly userId: string;
  readonly mayCallApi: boolean;
  readonly roomRates: RoomRates;
  may(action: Action, name: string): boolean;
}

/**
 * Why a client may not publish now; undefined if it may. `destination` is a room, `@global` or `@direct`. Takes one
 * message of what the room's rule lets this publisher publish in a second.
 */
export function refusePublication(
  pod: Pod,
  publisher: Publisher,
  destination: string,
  data: Json,
): Rejection | undefined {
  if (!publisher.may('publish', destination)) return rejection('forbidden');
  if (destination === GLOBAL || destination === DIRECT) return undefined;
  if (isOthersRoom(pod, publisher.userId, destination)) {
    return rejection('forbidden', 'only its user and the API publish in a personal room');
  }
  const { publish, messagesPerSecond } = pod.rules.ruleOf(destination);
  if (publish === 'server' && !publisher.mayCallApi) {
    return rejection('forbidden', 'only the server publishes in this room');
  }
  if (messagesPerSecond === undefined) return refuseByRule(pod, destination, data);
  const retryAfterMs = publisher.roomRates.take(destination, messagesPerSecond, pod.clock.elapsed());
  if (retryAfterMs === 0) return refuseByRule(pod, destination, data);
  pod.tally.rateLimited += 1;
  return { ...rejection('rate_limited', 'too many messages in this room'), retryAfterMs };
}

/**
 * What the rule of a room refuses to everybody, the API included: `forbidden` if nobody may publish there, and
 * `too_large` if `data` has more bytes than the rule allows.
 */
function refuseByRule({ rules }: Pod, room: string, data: Json): Rejection | undefined {
  const { publish, maxDataBytes } = rules.ruleOf(room);
  if (publish === 'nobody') return rejection('forbidden', 'nobody may publish in this room');
  if (maxDataBytes === undefined || data.length * 3 <= maxDataBytes) return undefined;
  const bytes = utf8Length(data);
  if (bytes <= maxDataBytes) return undefined;
  return rejection('too_large', `data has ${bytes} bytes; this room allows at most ${maxDataBytes}`);
}

/** Raises what the rule of a room refuses to everybody. Hooks may have replaced `data` by something longer. */
export function requirePublishable(pod: Pod, room: string, data: Json): void {
  const refusal = refuseByRule(pod, room, data);
  if (refusal !== undefined) throw new Refused(refusal.code, refusal.error);
}
