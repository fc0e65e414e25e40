import { evidenceOf, type Violation } from './evidence.ts';
import { judgeAnswers } from './answers.ts';
import { judgeGaps } from './gaps.ts';
import { judgeOrder } from './order.ts';
import { judgePresence } from './presence.ts';
import { judgeRepeats } from './repeats.ts';
import { judgeRest } from './rest.ts';
import type { Played } from '../play.ts';

/** Every promise of docs/protocol.md that a run broke. */
export function judge(played: Played): Violation[] {
  const evidence = evidenceOf(played);
  return [judgeRest, judgeAnswers, judgeGaps, judgeRepeats, judgeOrder, judgePresence].flatMap((one) =>
    one(evidence),
  );
}
