import { ask, askUntilAnswered } from './http.ts';
import { NEWCOMER, ROOMS } from './cast.ts';
import type { Scene } from './play.ts';
import { Seat } from './seat.ts';
import { Line } from './line.ts';
import { type Row, View } from './view.ts';
import { settles } from './quiet.ts';

const USUAL_MS = 10_000;

/** "A presence key that is gone is whole again … within `PRESENCE_TTL_SECONDS` / 3 + 2 s." */
function deadlineOf({ world }: Scene): number {
  return USUAL_MS + (Number(world.chosen['PRESENCE_TTL_SECONDS']) / 3 + 2) * 1_000;
}

/** Who is present is the same everywhere, and as the model has it. Gives what stays different. */
export async function judgePresence(scene: Scene): Promise<string[]> {
  const deadline = deadlineOf(scene);
  const waits = [
    ...(await Promise.all(
      ROOMS.map((room) => settles(`presence in ${room} agrees`, () => differences(scene, room), deadline)),
    )),
    await settles('numbers of connections agree', () => miscounts(scene), deadline),
    ...(await Promise.all(
      ROOMS.map((room) =>
        settles(`newcomers to ${room} are told so`, () => freshDiffers(scene, room), deadline),
      ),
    )),
  ];
  return waits.filter((wait) => wait !== undefined);
}

/** Those with a connection in the room that does not hide. */
function presentIn({ story }: Scene, room: string): Seat[] {
  return story.seats.filter((seat) => seat.room === room && seat.state === 'in' && !seat.hidden);
}

async function presenceAt(pod: Scene['world']['pods'][number], room: string): Promise<View> {
  const json = await askUntilAnswered(pod, `/api/rooms/${room}/presence`);
  const view = new View();
  view.replaced(json['members']);
  return view;
}

async function differences(scene: Scene, room: string): Promise<string[]> {
  const { story, world } = scene;
  const present = presentIn(scene, room);
  const users = [...new Set(present.map(({ user }) => user))].sort().join();
  const different: string[] = [];
  const shared = await Promise.all(world.pods.map((pod) => presenceAt(pod, room)));
  for (const [index, view] of shared.entries()) {
    if (view.users.join() !== users)
      different.push(`pod-${index + 1} has ${view.users.join()}, should be ${users}`);
    for (const { user, final } of present) {
      if (final !== undefined && !isSo(view.row(user), final)) {
        different.push(
          `pod-${index + 1} has ${JSON.stringify(view.row(user))}, not ${JSON.stringify(final)}`,
        );
      }
    }
  }
  for (const seat of story.seats.filter((one) => one.room === room && one.state === 'in')) {
    if (String(seat.view) !== String(shared[0])) {
      different.push(`${seat.actor} was told [${String(seat.view)}], but it is [${String(shared[0])}]`);
    }
  }
  return different;
}

function isSo(row: Row | undefined, { status, meta }: { status: string; meta: unknown }): boolean {
  return row?.status === status && JSON.stringify(row.meta) === JSON.stringify(meta);
}

/** Members per room that a pod tells wrongly. */
async function miscounts({ world, story }: Scene): Promise<string[]> {
  const wanted = ROOMS.toSorted()
    .map((room) => ({
      room,
      connections: story.seats.filter((seat) => seat.room === room && seat.state === 'in').length,
    }))
    .filter(({ connections }) => connections > 0);
  const text = JSON.stringify(wanted);
  const answers = await Promise.all(world.pods.map((pod) => ask(pod, '/api/rooms')));
  return answers.flatMap(({ json }, index) => {
    const told = JSON.stringify(json['rooms']);
    return told === text ? [] : [`pod-${index + 1} counts ${told}, should be ${text}`];
  });
}

/** Somebody who joins now is told the same. */
async function freshDiffers(scene: Scene, room: string): Promise<string[]> {
  const pod = scene.random.pick(scene.world.pods);
  const seat = new Seat(NEWCOMER, NEWCOMER, room, scene.story);
  const line = new Line(pod, `/ws/${room}?user_id=${NEWCOMER}`, {
    opened: () => undefined,
    received: (one, frame) => {
      if (frame['room'] === room) seat.take(frame, one.number, one.pod);
    },
    gone: () => undefined,
  });
  const wait = await settles(`a newcomer joins ${room}`, () => (seat.state === 'in' ? [] : [pod.name]));
  const shared = await presenceAt(pod, room);
  line.close();
  const [told, is] = [seat.view, shared].map((view) => view.without(NEWCOMER));
  if (wait !== undefined) return [wait];
  return told === is ? [] : [`${pod.name} told a newcomer [${told}], but it is [${is}]`];
}
