import { counter, counters, type Figure, gauge } from './figures.ts';
import type { HookFigures } from '../core/ports/hooks.ts';
import type { WatcherFigures } from '../core/ports/watcher.ts';

/** Figures of the parts that are there only where somebody asked for them. */

export function hookFigures(figures: HookFigures): Figure[] {
  return [
    counter('realtime_hook_replacements', 'Messages that a hook changed.', () => figures.replaced),
    counter('realtime_hook_suppressions', 'Messages that a hook suppressed.', () => figures.suppressed),
    counters('realtime_hook_refusals', 'What hooks refused, by hook.', 'hook', figures.refused),
    counters('realtime_hook_failures', 'Hooks that threw or took too long, by hook.', 'hook', figures.failed),
  ];
}

export function webhookFigures(figures: WatcherFigures): Figure[] {
  return [
    counter('realtime_webhook_events', 'Events taken for the webhook.', () => figures.reported),
    counters('realtime_webhook_events_dropped', 'Events never posted, by reason.', 'reason', figures.dropped),
    counter('realtime_webhook_retries', 'Posts that failed and were made again.', () => figures.retries),
    gauge('realtime_webhook_events_waiting', 'Events that wait to be posted.', () => figures.waiting),
  ];
}
