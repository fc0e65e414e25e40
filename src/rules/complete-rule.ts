import { durationMs } from './durations.ts';
import type { RoomRule } from '../core/ports/room-rules.ts';
import type { WrittenRule } from './definition.ts';

/** A rule with what it leaves out; `index` is its place in the file. */
export function completeRule(written: WrittenRule, index: number, defaults: RoomRule): RoomRule {
  const { match, history = {}, presence = {} } = written;
  const historyTtlMs = history.ttl === undefined ? defaults.historyTtlMs : durationMs(history.ttl);
  return {
    match,
    name: written.name ?? `rule-${index + 1}`,
    historySize: history.size ?? defaults.historySize,
    historyTtlMs,
    lastValue: lastValueOf(written),
    lastValueTtlMs: historyTtlMs || defaults.historyTtlMs,
    presence: presence.enabled ?? defaults.presence,
    presenceEventsLimit: presence.events_limit ?? defaults.presenceEventsLimit,
    publish: written.publish ?? defaults.publish,
    join: written.join ?? defaults.join,
    maxDataBytes: written.max_data_bytes,
    maxMembers: written.max_members,
    messagesPerSecond: written.messages_per_second,
    backend: written.backend === undefined ? undefined : new Set(written.backend),
    webhook: written.webhook === undefined ? defaults.webhook : new Set(written.webhook),
    onlyUser: undefined,
  };
}

function lastValueOf({ last_value: given = false }: WrittenRule): RoomRule['lastValue'] {
  if (given === 'server') return 'server';
  return given ? 'any' : 'off';
}
