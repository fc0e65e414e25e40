import { Rule, RulesFile } from './definition.ts';
import { completeRule } from './complete-rule.ts';
import type { Fault } from './faults.ts';
import { issueFaults } from './issue-faults.ts';
import { readSource } from './source.ts';
import type { RoomRule } from '../core/ports/room-rules.ts';
import { type RulesContext, settingFaults } from './setting-faults.ts';
import { unreachable } from './unreachable.ts';

/** The rules of a file with warnings, or everything that is wrong with it. */
export type ReadRules =
  | { readonly rules: readonly RoomRule[]; readonly warnings: readonly Fault[] }
  | { readonly rules: undefined; readonly faults: readonly Fault[] };

/** Reads rules from YAML or JSON, and completes them from the settings. */
export function readRules(text: string, context: RulesContext): ReadRules {
  const source = readSource(text);
  if (source.lines === undefined) return { rules: undefined, faults: source.faults };
  const issues = RulesFile.safeParse(source.value).error?.issues ?? [];
  const faults = [...source.faults, ...issues.flatMap((issue) => issueFaults(issue, source))];
  const rules: RoomRule[] = [];
  writtenIn(source.value).forEach((written, index) => {
    const line = (key: string): number => source.lines.ofValue(['rooms', index, ...key.split('.')]);
    const told = (key: string, text: string): void =>
      void faults.push({ line: line(key), text: `rule ${index + 1}: ${text}` });
    settingFaults(written, context).forEach(({ key, text: why }) => told(key, why));
    const { data } = Rule.safeParse(written);
    if (data === undefined) return;
    rules.push(completeRule(data, index, context.defaults));
  });
  return faults.length > 0
    ? { rules: undefined, faults }
    : { rules, warnings: unreachable(rules, source.lines) };
}

function writtenIn(value: unknown): readonly unknown[] {
  const rooms = typeof value === 'object' && value !== null && 'rooms' in value ? value.rooms : undefined;
  return Array.isArray(rooms) ? rooms : [];
}
