import type { Publication, Story } from './story.ts';
import { SETTINGS } from './settings.ts';
import type { Scene } from './play.ts';
import type { Seat } from './seat.ts';
import type { Violation } from './evidence.ts';

/** More violations of a kind, or messages, than these are only counted. */
const MOST_OF_KIND = 5;
const MOST = 12;

interface Run {
  readonly variant: string;
  readonly seed: number;
  readonly steps: number;
}

/** What was violated, what became of the messages concerned, and all that was done. */
export function reportOf(
  { variant, seed, steps }: Run,
  scene: Scene,
  violations: readonly Violation[],
): string {
  const { story, world } = scene;
  const again = `MODEL_SEED=${seed} MODEL_STEPS=${steps} MODEL_VARIANT=${variant}`;
  const kinds = Map.groupBy(violations, ({ kind }) => kind);
  const shown = [...kinds.values()].flatMap((all) => all.slice(0, MOST_OF_KIND));
  const tokens = [...new Set(shown.flatMap((violation) => violation.tokens.slice(0, 2)))];
  return [
    `seed ${seed}, ${variant}: ${countsOf(violations)} (again: ${again} vitest run test/model)`,
    ...shown.map(({ kind, text }) => `VIOLATION ${kind}: ${text}`),
    `settings ${JSON.stringify(world.chosen)}`,
    ...tokens.slice(0, MOST).flatMap((token) => biographyOf(story, token)),
    'what was done:',
    ...story.steps,
    ...(SETTINGS.logs ? logsOf(scene) : []),
  ].join('\n');
}

/** How many of each kind. */
export function countsOf(violations: readonly Violation[]): string {
  const kinds = Map.groupBy(violations, ({ kind }) => kind);
  return [...kinds].map(([kind, all]) => `${all.length} ${kind}`).join(', ');
}

function biographyOf(story: Story, token: string): string[] {
  const publication = story.publications.get(token);
  if (publication === undefined) return [];
  const { room, sends, acks, errors } = publication;
  const lines = [
    ...sends.map(({ tick, by, pod }) => [tick, `${by} sends it to ${pod}`] as const),
    ...acks.map(({ tick, id }) => [tick, `acked as ${id}`] as const),
    ...errors.map(({ tick, code }) => [tick, `refused: ${code}`] as const),
    ...story.seats.filter((seat) => seat.room === room).flatMap((seat) => sightings(seat, token)),
  ];
  return [
    titleOf(publication),
    ...lines.sort((a, b) => a[0] - b[0]).map(([tick, text]) => `  #${tick} ${text}`),
  ];
}

function titleOf({ token, room, user, ref }: Publication): string {
  return `${token} in ${room} by ${user}${ref === undefined ? '' : `, ref ${ref}`}:`;
}

/** What a client saw of the message, and what it was told of its place in the room. */
function sightings(seat: Seat, token: string): [number, string][] {
  return seat.entries.flatMap((entry): [number, string][] => {
    const { kind, tick, line, pod } = entry;
    const where = `${seat.actor} on ${pod}, connection ${line}`;
    if (kind === 'message') {
      if (entry.token !== token) return [];
      const { id, provisional, provisionalId } = entry;
      return [[tick, `${where}, sees it as ${provisional ? 'provisional ' : ''}${id} (${provisionalId})`]];
    }
    if (kind === 'joined') {
      const { after, position, recovered, reason } = entry;
      return [[tick, `${where}, joined after ${after} at ${position}: ${recovered} ${reason}`]];
    }
    if (kind === 'recovered') return [[tick, `${where}, recovered: ${entry.recovered} ${entry.reason}`]];
    return [[tick, `${where}, ${kind}`]];
  });
}

/** For a diagnosis: everything that every client was told, and what the pods wrote. */
function logsOf({ story, world }: Scene): string[] {
  const told = story.seats.flatMap(({ actor, room, entries }) =>
    entries.map((entry) => [entry.tick, `${actor} ${room} ${JSON.stringify(entry)}`] as const),
  );
  return [
    'what clients were told:',
    ...told.sort((a, b) => a[0] - b[0]).map(([, text]) => text),
    ...world.pods.flatMap((pod) => [`log of ${pod.name}:`, pod.output()]),
  ];
}
