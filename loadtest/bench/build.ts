import { dirname, join } from 'node:path';
import { mainOf } from '../../test/releases/earlier-release.ts';
import type { Contender } from './contenders.ts';
import { startFlags } from './node-flags.ts';

/** An earlier build of Crosspod, taken out of the git history. */
export interface Build {
  readonly ref: string;
  readonly script: string;
  readonly nodeFlags: readonly string[];
}

/** Throws an error that says what to do if the history lacks `ref`. */
export function buildOf(ref: string): Build {
  const script = mainOf(ref);
  return { ref, script, nodeFlags: startFlags(join(dirname(script), '../package.json')) };
}

/** The same contender as that build runs it. */
function asBuilt(contender: Contender, { script, nodeFlags }: Build): Contender {
  return { ...contender, script, nodeFlags };
}

/** The name of a contender, or of an arrangement that begins with it, for that build: `crosspod@ref, two pods`. */
export function nameAt(name: string, { ref }: Build): string {
  return name.replace(/^[^, ]+/, (contender) => `${contender}@${ref}`);
}

/** The members of `lineUp`, and beside each Crosspod the same one as the earlier build runs it. */
export function withEarlier<Member extends { readonly contender: Contender }>(
  lineUp: ReadonlyMap<string, Member>,
  build: Build | undefined,
): Map<string, Member> {
  if (build === undefined) return new Map(lineUp);
  return new Map(
    [...lineUp].flatMap(([name, member]) => {
      if (!name.startsWith('crosspod')) return [[name, member]];
      const earlier = { ...member, contender: asBuilt(member.contender, build) };
      return [
        [name, member],
        [nameAt(name, build), earlier],
      ];
    }),
  );
}
