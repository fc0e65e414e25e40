import { COMEBACKS } from './comebacks.ts';
import { DATA } from './data.ts';
import { HALVES } from './half.ts';
import type { Scenario } from '../scenario.ts';

/** Each fault that was found once, step by step. */
export const SCENARIOS: readonly Scenario[] = [...HALVES, ...DATA, ...COMEBACKS];
