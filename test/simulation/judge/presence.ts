import type { Evidence, RoomTruth, Violation } from './evidence.ts';
import { nameOf } from './evidence.ts';
import type { Seat } from '../clients/seat.ts';
import type { Stay } from '../quiet.ts';
import { View } from '../clients/view.ts';

/** How long before a leave is told it may have happened: news wait while Redis is away, and with readers that are slow. */
const LATE_NEWS_MS = 16_000;
/** A part of the grace goes by on the way. */
const SURELY = 0.7;

/** Who is present is the same everywhere and as it is; nobody who was there all the time is said to have left. */
export function judgePresence(evidence: Evidence): Violation[] {
  return evidence.rooms.flatMap((truth) => [...lists(truth, evidence), ...falseLeaves(truth, evidence)]);
}

function isIn({ state, hidden }: Stay): boolean {
  return state === 'in' && !hidden;
}

function lists(truth: RoomTruth, { quiet }: Evidence): Violation[] {
  // As it was when the pods were asked: who is moved to balance them afterwards has said nothing since.
  const stays = quiet.stays.filter(({ seat }) => seat.room === truth.name);
  const present = stays.filter(isIn);
  const users = [...new Set(present.map(({ seat }) => seat.user))].sort().join();
  const violations: Violation[] = [];
  let first: string | undefined;
  for (const [pod, people] of quiet.presence.get(truth.name) ?? []) {
    const view = new View();
    view.replaced(people);
    first ??= String(view);
    if (view.users.join() !== users) {
      violations.push({
        kind: 'presence-wrong',
        text: `${pod} lists [${view.users.join()}] in ${truth.name}, but there are [${users}]`,
      });
    }
    for (const stay of present) {
      const { said } = stay;
      const { user } = stay.seat;
      if ((said?.meta as { final?: string } | undefined)?.final === undefined) continue;
      if (isSaidAgain(stay, present)) continue;
      const person = view.person(user);
      if (person?.status === said?.status && JSON.stringify(person?.meta) === JSON.stringify(said?.meta))
        continue;
      const text = `${pod} has ${JSON.stringify(person)} in ${truth.name}, but ${user} said ${JSON.stringify(said)} at last`;
      violations.push({ kind: 'statement-wrong', text });
    }
  }
  for (const { seat, view } of stays.filter(({ state }) => state === 'in')) {
    if (view === first) continue;
    violations.push({ kind: 'view-wrong', text: `${nameOf(seat)} sees [${view}], but it is [${first}]` });
  }
  return violations;
}

/** Another client of the user that is a library has come back since, and has said again what it said before. */
function isSaidAgain({ seat, at: asked }: Stay, present: readonly Stay[]): boolean {
  const said = seat.entries.findLast(({ kind, at }) => kind === 'said' && at <= asked)?.at ?? 0;
  return present.some(
    ({ seat: other }) =>
      other.user === seat.user &&
      other.judgesItself &&
      other.entries.some(({ kind, at }) => kind === 'joined' && at > said && at <= asked),
  );
}

interface Span {
  readonly from: number;
  readonly until: number;
  readonly pod: string;
  /** It ended by a leave, a statement, or a clean close: that is final at once. */
  readonly isFinal: boolean;
}

/** When a user was present through a seat. */
function spansOf(seat: Seat): Span[] {
  const spans: Span[] = [];
  let isHidden = false;
  let isLeaving = false;
  let open: { from: number; pod: string } | undefined;
  const end = (until: number, isFinal: boolean): void => {
    if (open !== undefined) spans.push({ ...open, until, isFinal });
    open = undefined;
  };
  for (const entry of seat.entries) {
    const { at, pod } = entry;
    if (entry.kind === 'asked') isLeaving = false;
    else if (entry.kind === 'joined') {
      end(at, false);
      isHidden &&= seat.judgesItself;
      // A library that leaves before it is answered has left when the answer comes.
      if (!isHidden && !isLeaving) open = { from: at, pod };
    } else if (entry.kind === 'leaving' || entry.kind === 'left') {
      isHidden = false;
      isLeaving = entry.kind === 'leaving';
      end(at, true);
    } else if (entry.kind === 'cut') end(at, entry.isClean);
    else if (entry.kind === 'said') {
      isHidden = entry.status === 'offline';
      if (isHidden) end(at, true);
      else open ??= { from: at, pod };
    }
  }
  end(Number.POSITIVE_INFINITY, false);
  return spans;
}

function falseLeaves(truth: RoomTruth, evidence: Evidence): Violation[] {
  const spans = Map.groupBy(
    truth.seats.flatMap(({ seat }) =>
      spansOf(seat).map((span) => {
        // A client may not know for a while that its pod is no more.
        const until = Math.min(span.until, evidence.world.deaths.get(span.pod) ?? Number.POSITIVE_INFINITY);
        return { ...span, until, user: seat.user };
      }),
    ),
    ({ user }) => user,
  );
  return truth.seats.flatMap(({ seat }) =>
    seat.entries.flatMap((entry): Violation[] => {
      if (entry.kind !== 'presence' || entry.status !== 'offline') return [];
      if (!wasThere(spans.get(entry.user) ?? [], entry.at, evidence)) return [];
      const text = `${nameOf(seat)} was told that ${entry.user} left, who was there all the time`;
      return [{ kind: 'false-leave', text, time: entry.at }];
    }),
  );
}

/** Whether a user was present for long before this moment, with no more than short losses, on pods that were well. */
function wasThere(spans: readonly Span[], at: number, { world }: Evidence): boolean {
  const { PRESENCE_GRACE_SECONDS, POD_LEASE_SECONDS } = world.config.values;
  const allowed = Math.min(PRESENCE_GRACE_SECONDS, POD_LEASE_SECONDS) * 1_000 * SURELY;
  const since = at - LATE_NEWS_MS;
  if (since < 0) return false;
  const recent = spans
    .filter(({ until, from }) => until > since && from < at)
    .sort((a, b) => a.from - b.from);
  let covered = since;
  for (const { from, until, pod, isFinal } of recent) {
    if (from > covered + (covered === since ? 0 : allowed)) return false;
    if (isFinal && until <= at && !recent.some((other) => other.from < until && other.until > until))
      return false;
    if (wasDisturbed(pod, since, at, world)) return false;
    covered = Math.max(covered, until);
  }
  return covered >= at;
}

/** Whether others may have taken a pod for dead, or it could not tell of who was there. */
function wasDisturbed(pod: string, since: number, until: number, world: Evidence['world']): boolean {
  const lease = world.config.values.POD_LEASE_SECONDS * 1_000;
  return world.disturbances.some(
    (one) =>
      one.pod === pod &&
      one.from < until &&
      one.until + 2 * lease > since &&
      one.until - one.from > lease / 4,
  );
}
