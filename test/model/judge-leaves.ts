import { type Evidence, nameOf, type Violation } from './evidence.ts';
import type { PresenceEntry, Seat } from './seat.ts';
import type { Trouble } from './story.ts';

/** For so long somebody must have been there without a change to be there for sure. */
const STEADY_MS = 3_000;
/** So long after a fault that separated pods their users may still be announced as gone: lease, grace, and a look. */
const AFTER_MS = 8_000;

/**
 * No false leave: nobody is announced as gone who is there, on a pod that is well, through a connection that nothing
 * happened to. "Who returns within the lease never left"; of a key that is gone "nobody is announced for it"; "leases go by
 * the clock of Redis, also while a pod's own clock is set or drifts".
 */
export function judgeLeaves({ story }: Evidence): Violation[] {
  const separating = story.troubles.filter(({ effect }) => effect === 'pods' || effect === 'data');
  return [...Map.groupBy(story.seats, ({ room }) => room).values()].flatMap((seats) =>
    seats.flatMap((observer) => {
      const leaves = observer.presence.filter(({ status }) => status === 'offline');
      return leaves.flatMap((leave): Violation[] => {
        const there = seats.find((seat) => isThereFor(seat, leave, separating));
        if (there === undefined) return [];
        const text = `${nameOf(observer)} on ${leave.pod} was told at #${leave.tick} that ${leave.user_id} is gone, but ${there.actor} is there`;
        return [{ kind: 'false-leave', text, tokens: [] }];
      });
    }),
  );
}

function isThereFor(
  seat: Seat,
  { user_id: user, ms, pod }: PresenceEntry,
  troubles: readonly Trouble[],
): boolean {
  if (seat.user !== user) return false;
  const last = seat.presentSince.findLast((one) => one.ms <= ms);
  if (last?.pod === undefined || last.ms > ms - STEADY_MS) return false;
  const pods = [last.pod, pod];
  return !troubles.some(
    ({ pod: concerned, since, until }) =>
      since.ms <= ms &&
      (until === undefined || until.ms > ms - AFTER_MS) &&
      (concerned === undefined || pods.includes(concerned)),
  );
}
