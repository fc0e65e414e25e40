import { podClockDrifts, podClockSet, redisClockSet } from './clocks.ts';
import { failsOver, slotMoves } from './failovers.ts';
import type { FaultKind } from './kind.ts';
import { linkBreaks, linkCut, linkLate, linkStalls } from './links.ts';
import { podBornAlone, podDies, podDrains, podFreezes } from './pods.ts';
import {
  keyIsGone,
  redisFreezes,
  redisIsCommanded,
  redisRefuses,
  redisRestarts,
  rightIsLost,
} from './redis.ts';

/** Every way in which something can break. */
export const FAULT_KINDS: readonly FaultKind[] = [
  podDies,
  podFreezes,
  podDrains,
  podBornAlone,
  linkStalls,
  linkLate,
  linkCut,
  linkBreaks,
  redisRestarts,
  redisFreezes,
  redisRefuses,
  rightIsLost,
  keyIsGone,
  redisIsCommanded,
  podClockSet,
  podClockDrifts,
  redisClockSet,
  failsOver,
  slotMoves,
];
