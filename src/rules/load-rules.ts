import { type Fault, linesOf } from './faults.ts';
import { type ReadRules, readRules } from './read-rules.ts';
import { readRulesText, type RulesText } from './rules-text.ts';
import type { RoomRule } from '../core/ports/room-rules.ts';
import type { RulesContext } from './setting-faults.ts';

/** A file of rules cannot be used: one problem for each fault. */
export class RulesError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** A file of rules that can be used. */
export interface LoadedRules {
  readonly content: RulesText;
  readonly rules: readonly RoomRule[];
  readonly warnings: readonly string[];
}

/** Raises RulesError with everything that is wrong with the file. */
export async function loadRules(path: string, context: RulesContext): Promise<LoadedRules> {
  return rulesIn(await readRulesText(path), path, context);
}

/** Raises RulesError with everything that is wrong with the content. */
export function rulesIn(content: RulesText, path: string, context: RulesContext): LoadedRules {
  const read = content.text === undefined ? unreadable(content.why) : readRules(content.text, context);
  if (read.rules === undefined) throw new RulesError(linesOf(read.faults, path));
  return { content, rules: read.rules, warnings: linesOf(read.warnings, path) };
}

function unreadable(why: string): ReadRules {
  const fault: Fault = { line: undefined, text: why };
  return { rules: undefined, faults: [fault] };
}
