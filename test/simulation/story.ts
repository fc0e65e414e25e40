import type { Played } from './play.ts';
import type { Violation } from './judge/evidence.ts';

/** The first of them tell what is wrong. */
const MOST_VIOLATIONS = 12;

/** What happened in a run, as a person can read it. */
export function storyOf({ world }: Played, violations: readonly Violation[], withLogs = false): string {
  const { plan, notes, log, clients } = world;
  const lines: { time: number; text: string }[] = [...notes];
  for (const { seats } of clients) {
    for (const seat of seats) {
      for (const entry of seat.entries) {
        const { at, pod, kind, ...rest } = entry;
        if (kind === 'asked' || kind === 'leaving') continue;
        lines.push({
          time: at,
          text: `  ${seat.client} in ${seat.room} on ${pod}: ${kind} ${detailsOf(rest)}`,
        });
      }
    }
  }
  for (const { time, pod, level, text } of log) {
    if (withLogs || level === 'error') lines.push({ time, text: `  ${pod} logs ${level}: ${text}` });
  }
  for (const { ledgerText, time } of acksOf(world)) lines.push({ time, text: ledgerText });
  const settings = Object.entries(plan.settings).map(([name, value]) => `${name}=${value}`);
  return [
    `seed ${plan.seed}, ${plan.placement}, ${settings.join(' ')}`,
    ...plan.clients.map(
      ({ name, user, kind, joins }) =>
        `${name} (${kind}, user ${user}) joins ${joins.join(' ') || 'nothing'}`,
    ),
    ...lines
      .sort((one, other) => one.time - other.time)
      .map(({ time, text }) => `${(time / 1_000).toFixed(3).padStart(7)}  ${text}`),
    ...violations
      .slice(0, MOST_VIOLATIONS)
      .map(
        ({ kind, text, time }) =>
          `VIOLATION ${kind}: ${text}${time === undefined ? '' : ` (${(time / 1_000).toFixed(3)})`}`,
      ),
  ].join('\n');
}

function acksOf(world: Played['world']): { time: number; ledgerText: string }[] {
  return [...world.ledger.publications.values()].flatMap(({ token, acks }) =>
    acks.map(({ at, id, pod }) => ({ time: at, ledgerText: `  ${token} is acked as ${id} on ${pod}` })),
  );
}

function detailsOf(entry: object): string {
  return Object.entries(entry)
    .filter(([name, value]) => value !== undefined && value !== false && name !== 'memory' && name !== 'line')
    .map(([name, value]) => (value === true ? name : `${name}=${String(value)}`))
    .join(' ');
}
