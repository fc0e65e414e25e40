import { faultsOf } from './faults.ts';
import type { Actor } from './actor.ts';
import { ask } from './http.ts';
import type { Publication, Story } from './story.ts';
import { Random } from '../hostile/random.ts';
import { ROOMS } from './cast.ts';
import type { World } from './world.ts';
import { setTimeout as pause } from 'node:timers/promises';

export interface Scene {
  readonly world: World;
  readonly story: Story;
  readonly actors: readonly Actor[];
  readonly random: Random;
  readonly seed: number;
}

/** Where the random choices of steps begin among those of a seed, of faults, and of the time between steps. */
const STEPS_FROM = 10_000;
const FAULTS_FROM = 500_000;
const PACE_FROM = 1_000_000;

type Step = (scene: Scene, actor: Actor) => void;

const join: Step = ({ story, random }, actor) => {
  const seat = random.pick(actor.seats);
  if (seat.wanted || seat.state !== 'out' || actor.line === undefined) return;
  // Somebody new knows nothing of the room; somebody who was there before goes on from where it was.
  if (random.chance(0.5)) seat.forget(actor.line.number, actor.line.pod);
  const history = random.chance(0.3) ? random.int(1, 20) : 0;
  story.note(`${actor.name} joins ${seat.room} after ${seat.position ?? `history ${history}`}`);
  actor.join(seat, history);
};

const leave: Step = ({ story, random }, actor) => {
  const seat = random.pick(actor.seats);
  if (seat.state !== 'in' || actor.line === undefined) return;
  story.note(`${actor.name} leaves ${seat.room}`);
  actor.leave(seat);
};

const publish: Step = ({ story, random }, actor) => {
  const ref = random.chance(0.6);
  for (let count = random.chance(0.1) ? 15 : random.int(1, 3); count > 0; count -= 1) {
    const sent = actor.publish(random.pick(ROOMS), { ref, ephemeral: random.chance(0.15) });
    if (sent !== undefined) story.note(`${actor.name} on ${actor.line?.pod} publishes ${nameOf(sent)}`);
  }
};

/** The same again by another connection of the user, wherever that is. */
const repeat: Step = ({ story, actors, random }, actor) => {
  const own = [...story.publications.values()]
    .filter(({ user, ref, ephemeral }) => user === actor.user && ref !== undefined && !ephemeral)
    .slice(-5);
  if (own.length === 0 || actor.line === undefined) return;
  const twin = actors.find(({ user, name }) => user === actor.user && name !== actor.name) ?? actor;
  const again = random.pick(own);
  story.note(`${twin.name} on ${twin.line?.pod} repeats ${nameOf(again)}`);
  twin.repeat(again);
};

const publishOverHttp: Step = ({ world, story, random }) => {
  const publication = story.publication({
    room: random.pick(ROOMS),
    user: 'system',
    ref: undefined,
    ephemeral: false,
  });
  const pod = random.pick(world.pods);
  story.note(`${pod.name} is asked by HTTP to publish ${nameOf(publication)}`);
  void publishBy(pod, publication, story);
};

/** What its answer says is noted. */
export async function publishBy(
  pod: World['pods'][number],
  publication: Publication,
  story: Story,
): Promise<boolean> {
  const { room, token } = publication;
  publication.sends.push({ tick: story.tick(), by: 'HTTP', pod: pod.name, line: 0 });
  const { status, json } = await ask(pod, `/api/rooms/${room}/messages`, { data: { token } });
  const isKept = status === 200 && json['provisional'] !== true;
  if (isKept) publication.acks.push({ tick: story.tick(), id: String(json['id']), pod: pod.name });
  else if (status === 503) publication.errors.push({ tick: story.tick(), code: String(json['code']) });
  else if (status !== 200 && status !== 0)
    story.errors.push(`${pod.name} answered a publication with ${status}`);
  return isKept;
}

const state: Step = ({ story, random }, actor) => {
  const seat = random.pick(actor.seats);
  if (seat.state !== 'in') return;
  const status = random.pick(['online', 'away', 'offline']);
  const meta = { tick: story.tick() };
  story.note(`${actor.name} says in ${seat.room} that it is ${status} ${JSON.stringify(meta)}`);
  actor.state(seat, status, meta);
};

const close: Step = ({ story }, actor) => {
  story.note(`${actor.name} closes its connection to ${actor.line?.pod}`);
  actor.close();
};

const terminate: Step = ({ story }, actor) => {
  story.note(`${actor.name} drops its connection to ${actor.line?.pod}`);
  actor.terminate();
};

/** Each as often as it stands here. */
const STEPS: readonly Step[] = [
  [
    publish,
    publish,
    publish,
    publish,
    publish,
    publish,
    publish,
    publish,
    publish,
    publish,
    publish,
    publish,
  ],
  [join, join, join, join, leave, leave, state, state, repeat, repeat, repeat],
  [publishOverHttp, publishOverHttp, close, terminate, terminate],
].flat();
const FAULT_CHANCE = 0.02;
const FAULTS_AT_ONCE = 2;
/** So many times as many steps are played at most while a fault lasts. */
const LONGEST = 3;

/**
 * So many random steps of random clients, with faults between them; all are mended when this resolves. Each step and
 * each fault has its own random choices, so that a seed repeats them whatever the machine's timing makes of it.
 */
export async function play(scene: Scene, steps: number): Promise<void> {
  const { world, actors, seed } = scene;
  const faults = faultsOf(world, scene.random);
  const under = new Set<Promise<void>>();
  const end = (step: number): boolean => step >= (under.size === 0 ? steps : LONGEST * steps);
  for (let step = 0; !end(step); step += 1) {
    const random = Random.of(seed, STEPS_FROM + step);
    random.pick(STEPS)({ ...scene, random }, random.pick(actors));
    const isBreaking = random.chance(FAULT_CHANCE) && step < steps;
    if (isBreaking && faults.length > 0 && under.size < FAULTS_AT_ONCE) {
      const fault = random
        .pick(faults)({ ...scene, random: Random.of(seed, FAULTS_FROM + step) })
        // One fault may cut the operator's connection of another. What stays broken by it shows in the end.
        .catch((error: unknown) => scene.story.note(`the fault had an error: ${String(error)}`))
        .finally(() => under.delete(fault));
      under.add(fault);
    }
    // The pace of what happens; nothing is waited for.
    await pause(Random.of(seed, PACE_FROM + step).int(0, 50));
  }
  await Promise.all(under);
}

function nameOf({ token, room, ref, ephemeral }: Publication): string {
  return `${token} in ${room}${ref === undefined ? '' : ` with ref ${ref}`}${ephemeral ? ', ephemeral' : ''}`;
}
