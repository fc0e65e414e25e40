import { expect } from 'vitest';
import type { Heard, Said, Witness } from './witness.ts';
import { eventually } from './world.ts';

/** Everybody speaks, a number every few milliseconds, until it is stopped; then all of it is on its way. */
export function startTalk(speakers: readonly Witness[], everyMs = 10): { stop: () => Said } {
  const timer = setInterval(() => {
    for (const one of speakers) one.say();
  }, everyMs);
  return {
    stop: () => {
      clearInterval(timer);
      return saidBy(speakers);
    },
  };
}

export function saidBy(speakers: readonly Witness[]): Said {
  return new Map(speakers.map((one) => [one.user, one.said]));
}

/** Waits until each of them has all that was said, and says who lacks what. */
export async function allHeard(witnesses: readonly Witness[], said: Said): Promise<void> {
  for (const witness of witnesses) {
    await eventually(
      `${witness.user} to have everything`,
      () => witness.hasAll(said),
      () => {
        const missing = witness.missing(said);
        return `${missing.length} are missing: ${missing.slice(0, 20).join(', ')}; told: ${witness.losses().join()}`;
      },
    );
  }
}

/** Everything said by those who want acks was acknowledged, each with one id; gives those ids by ref. */
export async function allAcked(speakers: readonly Witness[]): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  for (const speaker of speakers.filter(({ wantsAcks }) => wantsAcks)) {
    const refs = Array.from({ length: speaker.said }, (_, index) => `${speaker.user}-${index + 1}`);
    await eventually(
      `an answer to all that ${speaker.user} said`,
      () => refs.every((ref) => speaker.answers().has(ref)),
      () => `none to ${refs.filter((ref) => !speaker.answers().has(ref)).join(', ')}`,
    );
    const answers = speaker.answers();
    const refused = refs.filter((ref) => answers.get(ref)?.['type'] !== 'ack');
    expect(refused.map((ref) => answers.get(ref))).toEqual([]);
    for (const ref of refs) ids.set(ref, String(answers.get(ref)?.['id']));
  }
  return ids;
}

/** Nobody has anything twice, and of every speaker everybody has the numbers in order. */
export function expectNoRepeat(witnesses: readonly Witness[]): void {
  for (const witness of witnesses) {
    const faults: string[] = [];
    const last = new Map<string, number>();
    const seen = new Set<string>();
    for (const { by, n, id } of witness.heard()) {
      if (seen.has(`${by} ${n}`)) faults.push(`${by} ${n} again as ${id}`);
      else if (n < (last.get(by) ?? 0)) faults.push(`${by} ${n} after ${last.get(by)}`);
      seen.add(`${by} ${n}`);
      last.set(by, Math.max(n, last.get(by) ?? 0));
    }
    expect(faults, `what ${witness.user} heard, told ${witness.losses().join()}`).toEqual([]);
  }
}

/** Nobody has a hole. */
function expectNoHole(witnesses: readonly Witness[], said: Said): void {
  for (const witness of witnesses) {
    expect(witness.missing(said), `what ${witness.user} misses`).toEqual([]);
  }
}

/** What was provisional for nobody has the same order, and the same ids, for everybody. */
function expectOneOrder(witnesses: readonly Witness[]): void {
  const all = witnesses.map((witness) => witness.heard());
  const name = ({ by, n }: Heard): string => `${by} ${n}`;
  const provisional = new Set(
    all.flatMap((heard) => heard.filter(({ isProvisional }) => isProvisional).map(name)),
  );
  const orders = all.map((heard) =>
    heard.filter((one) => !provisional.has(name(one))).map((one) => `${name(one)} ${one.id}`),
  );
  const [first = [], ...others] = orders;
  for (const [index, order] of others.entries()) {
    expect(order, `the order of ${witnesses[index + 1]?.user}`).toEqual(first);
  }
}

/** All of it, for a fault that loses nothing. */
export async function expectEverythingOnce(
  witnesses: readonly Witness[],
  speakers: readonly Witness[],
): Promise<void> {
  const said = saidBy(speakers);
  await allHeard(witnesses, said);
  await allAcked(speakers);
  expectNoHole(witnesses, said);
  expectNoRepeat(witnesses);
  expectOneOrder(witnesses);
}
