import { type Evidence, nameOf, type Violation } from './evidence.ts';
import type { Entry, Seat, Sighting } from './seat.ts';
import type { Trouble } from './story.ts';

/** After a fault gaps are read, and what is not kept comes before what fills them. */
const AFTER_MS = 4_000;

/** Something that was said once, on one connection, and heard. */
interface Heard {
  readonly sighting: Sighting;
  readonly send: { readonly tick: number; readonly line: number };
}

/**
 * "A publisher's order holds for what was not refused": of one connection of a speaker, one connection of a listener has
 * what was said in turn. Who moves to another pod while Redis is away has at first what is said there, so what is
 * provisional is compared with its like; and what is kept, which has its order by its position (judge-order.ts), with
 * what is not, where nothing was broken.
 */
export function judgeTurns({ story }: Evidence): Violation[] {
  const sendOf = ({ token }: Sighting): Heard['send'] | undefined => {
    const [send, ...again] = story.publications.get(token)?.sends ?? [];
    return again.length > 0 || send?.line === 0 ? undefined : send;
  };
  return story.seats.flatMap((seat) => {
    const heard = liveIn(seat.entries).flatMap(({ sighting, since }): Heard[] => {
      const send = sendOf(sighting);
      return send === undefined || send.tick < since ? [] : [{ sighting, send }];
    });
    const calm = heard.filter(({ sighting }) => !isTroubled(sighting, story.troubles));
    return [
      ...turned(
        seat,
        heard.filter(({ sighting }) => sighting.provisional),
      ),
      ...turned(
        seat,
        calm.filter(({ sighting }) => !sighting.provisional),
      ),
    ];
  });
}

/** What a client was given, and since when it was a member without a gap: what was said before may be a replay. */
function liveIn(entries: readonly Entry[]): { sighting: Sighting; since: number }[] {
  let since = 0;
  return entries.flatMap((entry) => {
    if (entry.kind === 'message') return [{ sighting: entry, since }];
    since = entry.tick;
    return [];
  });
}

function isTroubled({ ms }: Sighting, troubles: readonly Trouble[]): boolean {
  return troubles.some(
    ({ since, until }) => since.ms <= ms && (until === undefined || until.ms > ms - AFTER_MS),
  );
}

function turned(seat: Seat, heard: readonly Heard[]): Violation[] {
  const ways = Map.groupBy(heard, ({ sighting, send }) => `${send.line} ${sighting.line}`);
  return [...ways.values()].flatMap((all) =>
    all.slice(1).flatMap(({ sighting, send }, index): Violation[] => {
      const before = all[index];
      if (before === undefined || before.send.tick < send.tick) return [];
      const tokens = [before.sighting.token, sighting.token];
      return [
        { kind: 'order', text: `${nameOf(seat)} heard ${tokens.join(' before ')}, said later`, tokens },
      ];
    }),
  );
}
