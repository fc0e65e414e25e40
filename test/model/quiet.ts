import { type Kept, nameOf, type Violation } from './evidence.ts';
import { keptIn } from './judge-paging.ts';
import { askUntilAnswered } from './http.ts';
import { publishBy, type Scene } from './play.ts';
import { NEWCOMER, ROOMS } from './cast.ts';
import type { Seat } from './seat.ts';
import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 50;
const DEADLINE_MS = 30_000;
/** Longer than it takes until a pod is taken for dead. */
const SILENCE_MS = 4_000;

/** What did not come about, if anything. */
type Wait = string | undefined;

/** Asks until nothing is left to wait for; then undefined, and after the time what still is. */
export async function settles(
  what: string,
  left: () => Promise<string[]> | string[],
  ms = DEADLINE_MS,
): Promise<Wait> {
  const deadline = Date.now() + ms;
  for (;;) {
    const open = await left();
    if (open.length === 0) return undefined;
    if (Date.now() > deadline) return `${what} within ${ms} ms; still open: ${open.join('; ')}`;
    await pause(POLL_MS);
  }
}

/** Waits until everybody is where they want to be and has been answered. Gives what was waited for in vain. */
export async function becomesQuiet(scene: Scene): Promise<string[]> {
  const { story } = scene;
  story.note('all is mended');
  const waits: Wait[] = [await settles('pods are ready', () => unready(scene))];
  waits.push(await settles('clients are where they want to be', () => unseated(scene)));
  stateFinally(scene);
  waits.push(await settles('everything is answered', () => unanswered(scene)));
  const markers = await Promise.all(ROOMS.map((room) => mark(scene, room)));
  waits.push(...markers.map((marker) => marker.wait));
  const tokens = new Map(markers.map(({ room, last }) => [room, last]));
  waits.push(await settles('members see the last message', () => unmarked(scene, tokens)));
  waits.push(await settles('Redis knows three pods and no graves', () => unburied(scene)));
  story.note('it is quiet');
  return waits.filter((wait) => wait !== undefined);
}

async function unready({ world }: Scene): Promise<string[]> {
  const answers = await Promise.all(
    world.pods.map(async ({ name, opsUrl }) => {
      const { status } = (await fetch(`${opsUrl}/readyz`)
        .then((answer) => answer.json())
        .catch(() => ({ status: 'silent' }))) as { status: string };
      return status === 'ready' ? '' : `${name} is ${status}`;
    }),
  );
  return answers.filter((answer) => answer !== '');
}

function unseated({ actors }: Scene): string[] {
  return actors.flatMap(({ name, line, seats }) => [
    ...(line === undefined ? [`${name} is not connected`] : []),
    ...seats
      .filter(({ state, wanted }) => state !== (wanted ? 'in' : 'out'))
      .map(({ room, state }) => `${name} in ${room} is ${state}`),
  ]);
}

/** Half of the users say something of themselves that nobody changes any more. */
function stateFinally({ actors, story, random }: Scene): void {
  for (const actor of actors) {
    if (actors.find(({ user }) => user === actor.user) !== actor) continue;
    for (const seat of actor.seats) {
      if (seat.state !== 'in' || random.chance(0.5)) continue;
      seat.final = { status: random.pick(['online', 'away']), meta: { final: story.tick() } };
      story.note(`${actor.name} says in ${seat.room} finally ${JSON.stringify(seat.final)}`);
      actor.state(seat, seat.final.status, seat.final.meta);
    }
  }
}

function unanswered({ actors }: Scene): string[] {
  return actors.flatMap(({ name, line, unacked }) => [
    ...(line === undefined ? [`${name} is not connected`] : []),
    ...[...unacked.values()].map(({ publication }) => `${name} has no ack for ${publication.token}`),
    ...[...(line?.unanswered.values() ?? [])].map((what) => `${name} on ${line?.pod}: ${what}`),
  ]);
}

/** Publishes by each pod: what waits on one goes out before. */
async function mark(
  { world, story }: Scene,
  room: string,
): Promise<{ room: string; last: string; wait: Wait }> {
  let last = '';
  for (const pod of world.pods) {
    const wait = await settles(`${pod.name} publishes in ${room}`, async () => {
      const marker = story.publication({ room, user: 'system', ref: undefined, ephemeral: false });
      last = marker.token;
      return (await publishBy(pod, marker, story)) ? [] : [marker.token];
    });
    if (wait !== undefined) return { room, last, wait };
  }
  return { room, last, wait: undefined };
}

/** Whose connection has not seen the last message. */
function unmarked({ story }: Scene, last: ReadonlyMap<string, string>): string[] {
  const hasSeen = (seat: Seat): boolean =>
    seat.entries.some((entry) => entry.kind === 'message' && entry.token === last.get(seat.room));
  return story.seats
    .filter((seat) => seat.state === 'in' && !hasSeen(seat))
    .map(({ actor, room }) => `${actor} in ${room} waits for ${last.get(room)}`);
}

/** Whatever a dead pod, or a name that a pod has given up, still holds may yet go. */
async function unburied({ world }: Scene): Promise<string[]> {
  if (world.leases === undefined) return [];
  const { pods, graves } = await world.leases();
  return pods.length === world.pods.length && graves.length === 0
    ? []
    : [`pods ${pods.join(' ')}`, `graves ${graves.join(' ')}`];
}

/** The messages that a room keeps, as a pod gives them. */
export async function historyOf(scene: Scene, room: string): Promise<Kept[]> {
  const [pod] = scene.world.pods;
  if (pod === undefined) return [];
  const json = await askUntilAnswered(pod, `/api/rooms/${room}/history?limit=1000`);
  return keptIn(json);
}

/** Nothing more is said, nobody comes or goes: nobody is told anything. Gives who was. */
export async function staysQuiet({ story }: Scene): Promise<Violation[]> {
  const before = story.seats.map(heard);
  await pause(SILENCE_MS);
  return story.seats.flatMap((seat, index): Violation[] => {
    const now = heard(seat);
    const had = before[index] ?? now;
    const entries = now.entries.slice(had.entries.length);
    const count = entries.length + now.presence.length - had.presence.length;
    if (count === 0 || isMoved(entries)) return [];
    const last = JSON.stringify(seat.presence.at(-1) ?? seat.entries.at(-1));
    const text = `${nameOf(seat)} was told ${count} things in ${SILENCE_MS} ms of quiet, and of presence last ${last}`;
    return [{ kind: 'unbounded', text, tokens: [] }];
  });
}

/** Of those who came only to look (judge-presence.ts) it may still be told that they left. */
function heard({ entries, presence }: Seat): Pick<Seat, 'entries' | 'presence'> {
  return { entries: [...entries], presence: presence.filter(({ user_id: user }) => user !== NEWCOMER) };
}

/** "Pods even themselves out": whoever is sent to another one goes on there. */
function isMoved(entries: Seat['entries']): boolean {
  return entries.map(({ kind }) => kind).join() === 'cut,joined';
}
