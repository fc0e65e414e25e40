import type { Connection } from '../delivery/connection.ts';
import { DIRECT, GLOBAL } from '../../protocol/names.ts';
import { type Json, utf8Length } from '../../protocol/json.ts';
import { isOthersRoom } from './may-join.ts';
import type { Pod } from './pod.ts';
import { Refused } from '../base/refused.ts';
import { type Rejection, rejection } from '../../protocol/error-codes.ts';

/**
 * Why a client may not publish now; undefined if it may. `destination` is a room, `@global` or `@direct`. Takes one
 * message of what the room's rule lets this connection publish in a second.
 */
export function refusePublication(
  pod: Pod,
  connection: Connection,
  destination: string,
): Rejection | undefined {
  if (!connection.may('publish', destination)) return rejection('forbidden');
  if (destination === GLOBAL || destination === DIRECT) return undefined;
  if (isOthersRoom(pod, connection.userId, destination)) {
    return rejection('forbidden', 'only its user and the API publish in a personal room');
  }
  const { publish, messagesPerSecond } = pod.rules.ruleOf(destination);
  if (publish === 'server' && !connection.mayCallApi) {
    return rejection('forbidden', 'only the server publishes in this room');
  }
  if (messagesPerSecond === undefined) return undefined;
  const retryAfterMs = connection.roomRates.take(destination, messagesPerSecond, pod.clock.elapsed());
  if (retryAfterMs === 0) return undefined;
  pod.tally.rateLimited += 1;
  return { ...rejection('rate_limited', 'too many messages in this room'), retryAfterMs };
}

/**
 * Raises what the rule of a room refuses to everybody, the API included: `forbidden` if nobody may publish there, and
 * `too_large` if `data` has more bytes than the rule allows.
 */
export function requirePublishable({ rules }: Pod, room: string, data: Json): void {
  const { publish, maxDataBytes } = rules.ruleOf(room);
  if (publish === 'nobody') throw new Refused('forbidden', 'nobody may publish in this room');
  if (maxDataBytes === undefined || data.length * 3 <= maxDataBytes) return;
  const bytes = utf8Length(data);
  if (bytes <= maxDataBytes) return;
  throw new Refused('too_large', `data has ${bytes} bytes; this room allows at most ${maxDataBytes}`);
}
