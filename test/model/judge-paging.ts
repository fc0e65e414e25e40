import { askUntilAnswered } from './http.ts';
import { establishedIn, type Evidence, isGone, type Kept, type Violation } from './evidence.ts';
import type { PodProcess } from '../support/stack/pods.ts';
import type { Random } from '../hostile/random.ts';
import { ROOMS } from './cast.ts';
import type { Scene } from './play.ts';

/** So many positions of each room its history is read from, half of them of what is gone. */
const POSITIONS = 4;

/** "Reading on from a position or a page always ends", brings each message once, and all that is kept after it. */
export async function judgePaging(scene: Scene, evidence: Evidence): Promise<Violation[]> {
  const { random, world } = scene;
  const violations: Violation[] = [];
  for (const room of ROOMS) {
    const kept = evidence.histories.get(room) ?? [];
    for (const after of positionsIn(room, evidence, random)) {
      const pod = random.pick(world.pods);
      const limit = random.int(1, Math.max(2, Math.ceil(kept.length / 3)));
      const text = await readOn(pod, room, { after, limit, kept });
      if (text !== undefined)
        violations.push({ kind: 'paging', text: `${pod.name}, ${room} after ${after}: ${text}`, tokens: [] });
    }
  }
  return violations;
}

/** Some that are kept, and some that are not. */
function positionsIn(room: string, evidence: Evidence, random: Random): string[] {
  const all = establishedIn(room, evidence);
  const gone = all.filter((one) => isGone(one, room, evidence));
  const kept = evidence.histories.get(room) ?? [];
  const some = (ids: readonly { id: string }[]): string[] =>
    ids.length === 0 ? [] : Array.from({ length: POSITIONS / 2 }, () => random.pick(ids).id);
  return [...some(gone), ...some(kept)];
}

interface Reading {
  readonly after: string;
  readonly limit: number;
  readonly kept: readonly Kept[];
}

/** What is wrong with what a pod gives from there on, if anything is. */
async function readOn(
  pod: PodProcess,
  room: string,
  { after, limit, kept }: Reading,
): Promise<string | undefined> {
  const at = kept.findIndex(({ id }) => id === after);
  const expected = kept.slice(at + 1).map(({ id }) => id);
  const had: string[] = [];
  let position = after;
  for (let pages = 0; pages <= expected.length / limit + 2; pages += 1) {
    const path = `/api/rooms/${room}/history?after=${encodeURIComponent(position)}&limit=${limit}`;
    const json = await askUntilAnswered(pod, path);
    had.push(...keptIn(json).map(({ id }) => id));
    position = String(json['position']);
    if (json['more'] === true) continue;
    const reason = JSON.stringify(json['reason'] ?? 'none missing');
    const isRight = had.join() === expected.join();
    return isRight ? undefined : `${had.length} in ${pages + 1} pages, not ${expected.length}; ${reason}`;
  }
  return `more than ${expected.length / limit + 2} pages of ${limit} for ${expected.length} messages`;
}

/** The messages of a page. */
export function keptIn(json: Record<string, unknown>): Kept[] {
  const messages = (json['messages'] ?? []) as {
    id: string;
    data: { token: string };
    provisional_id?: string;
  }[];
  return messages.map(({ id, data, provisional_id: provisionalId }) => ({
    id,
    token: data.token,
    provisionalId,
  }));
}
