import type { RoomEvent, RoomRule, RoomRules } from '../core/ports/room-rules.ts';

/** What the settings say about rooms. */
export interface RoomSettings {
  readonly historySize: number;
  readonly historyTtlMs: number;
  readonly presenceEventsLimit: number;
}

/** What webhooks report about a room if no rule says otherwise. */
const PRESENCE_EVENTS: ReadonlySet<RoomEvent> = new Set([
  'room_occupied',
  'room_vacated',
  'member_joined',
  'member_left',
]);

/** What holds for a room that no rule fits. */
export function ruleOfSettings({ historySize, historyTtlMs, presenceEventsLimit }: RoomSettings): RoomRule {
  return {
    historySize,
    historyTtlMs,
    presenceEventsLimit,
    match: undefined,
    name: 'default',
    lastValue: 'off',
    lastValueTtlMs: historyTtlMs,
    presence: true,
    publish: 'clients',
    join: 'token',
    maxDataBytes: undefined,
    maxMembers: undefined,
    messagesPerSecond: undefined,
    backend: undefined,
    webhook: PRESENCE_EVENTS,
    onlyUser: undefined,
  };
}

/** The rules of a pod without a file of rules: the same for all rooms. */
export function uniformRules(rule: RoomRule): RoomRules {
  return { ruleOf: () => rule, widest: rule, start: () => undefined, stop: () => undefined };
}
