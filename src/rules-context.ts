import type { Config } from './config.ts';
import type { RoomRule } from './core/ports/room-rules.ts';
import type { RulesContext } from './rules/setting-faults.ts';
import { ruleOfSettings } from './rules/uniform.ts';

/** What holds for a room without a rule. */
export function defaultRule({ values }: Config): RoomRule {
  return ruleOfSettings({
    historySize: values.HISTORY_SIZE,
    historyTtlMs: values.HISTORY_TTL_SECONDS * 1_000,
    presenceEventsLimit: values.PRESENCE_EVENTS_LIMIT,
  });
}

/** What the settings say about a file of rules. */
export function rulesContext(config: Config): RulesContext {
  const { BACKEND_EVENTS, BACKEND_URL, MAX_MESSAGE_BYTES, WEBHOOK_URL } = config.values;
  return {
    defaults: defaultRule(config),
    maxMessageBytes: MAX_MESSAGE_BYTES,
    hasWebhook: WEBHOOK_URL !== undefined,
    backendEvents: BACKEND_URL === undefined ? undefined : new Set(BACKEND_EVENTS),
  };
}
