import type { RulesContext } from '../../src/rules/setting-faults.ts';
import { ruleOfSettings } from '../../src/rules/uniform.ts';

/** The default settings, without a webhook and a backend. */
export const CONTEXT: RulesContext = {
  defaults: ruleOfSettings({ historySize: 100, historyTtlMs: 300_000, presenceEventsLimit: 500 }),
  maxMessageBytes: 65_536,
  hasWebhook: false,
  backendEvents: undefined,
};
