import type { RoomRule } from '../core/ports/room-rules.ts';

/** What rules depend on besides their file. */
export interface RulesContext {
  /** What holds for a room without a rule, and for what a rule leaves out. */
  readonly defaults: RoomRule;
  readonly maxMessageBytes: number;
  /** Whether WEBHOOK_URL is set. */
  readonly hasWebhook: boolean;
  /** The value of BACKEND_EVENTS; undefined without BACKEND_URL. */
  readonly backendEvents: ReadonlySet<string> | undefined;
}

/** A fault of one key of a rule. */
export interface KeyFault {
  readonly key: string;
  readonly text: string;
}

/** What of a rule contradicts the settings or itself. The rule is as written: other checks may find it faulty too. */
export function settingFaults(written: unknown, context: RulesContext): KeyFault[] {
  if (typeof written !== 'object' || written === null) return [];
  const { max_data_bytes: bytes, join, backend, webhook } = written as Readonly<Record<string, unknown>>;
  const faults: KeyFault[] = [];
  const { maxMessageBytes, hasWebhook, backendEvents } = context;
  if (typeof bytes === 'number' && bytes > maxMessageBytes) {
    const text = `max_data_bytes: ${bytes} is more than MAX_MESSAGE_BYTES (${maxMessageBytes}), so no message could have it`;
    faults.push({ key: 'max_data_bytes', text });
  }
  if (join === 'backend') faults.push(...joinFaults(backend, backendEvents));
  if (Array.isArray(backend)) faults.push(...backendFaults(backend, backendEvents));
  if (Array.isArray(webhook)) {
    faults.push(...repeated('webhook', webhook));
    if (webhook.length > 0 && !hasWebhook)
      faults.push({ key: 'webhook', text: 'webhook: WEBHOOK_URL is not set; set it, or leave webhook out' });
  }
  return faults;
}

function joinFaults(backend: unknown, events: ReadonlySet<string> | undefined): KeyFault[] {
  const why =
    events === undefined
      ? 'BACKEND_URL is not set'
      : events.has('join')
        ? Array.isArray(backend) && !backend.includes('join')
          ? 'the list backend of this rule leaves out join'
          : undefined
        : 'BACKEND_EVENTS does not contain join';
  return why === undefined ? [] : [{ key: 'join', text: `join: backend cannot decide, because ${why}` }];
}

function backendFaults(questions: readonly unknown[], events: ReadonlySet<string> | undefined): KeyFault[] {
  const faults = repeated('backend', questions);
  if (events === undefined) {
    if (questions.length > 0)
      faults.push({ key: 'backend', text: 'backend: BACKEND_URL is not set; set it, or leave backend out' });
    return faults;
  }
  questions.forEach((question, index) => {
    if (typeof question !== 'string' || events.has(question)) return;
    const text = `backend: ${JSON.stringify(question)} is not in BACKEND_EVENTS (${[...events].join(',')})`;
    faults.push({ key: `backend.${index}`, text });
  });
  return faults;
}

function repeated(key: string, items: readonly unknown[]): KeyFault[] {
  return items.flatMap((item, index) =>
    items.indexOf(item) === index
      ? []
      : [{ key: `${key}.${index}`, text: `${key}: ${JSON.stringify(item)} stands in the list twice` }],
  );
}
