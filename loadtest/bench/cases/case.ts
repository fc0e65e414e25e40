import type { Options } from '../arguments.ts';
import type { CaseResult } from '../table.ts';

/** Measures something and returns the tables to print. */
export type Case = (options: Options) => Promise<readonly CaseResult[]>;
