import { DURATION, durationMs } from './durations.ts';
import { RULE_KEYS } from './keys.ts';
import { z } from 'zod';

/** Starts with no `@`, and holds `{user}` at most once. Written for RE2 too, with which Helm checks values. */
const MATCH =
  /^([A-Za-z0-9_.:*-][A-Za-z0-9_.:@*-]*(\{user\}[A-Za-z0-9_.:@*-]*)?|\{user\}[A-Za-z0-9_.:@*-]*)$/;
/** The longest name of a room (a channel of the Pusher protocol, encoded). */
const MATCH_LENGTH = 640;

/** The longest HISTORY_TTL_SECONDS too. */
const LONGEST_MS = durationMs('7d');

function isBelowLongest(duration: string): boolean {
  return durationMs(duration) <= LONGEST_MS;
}

const listOf = <const Names extends readonly string[]>(names: Names, meaning: string) =>
  z.array(z.enum(names)).max(names.length).meta({ description: meaning, uniqueItems: true });

export const Rule = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9-]{1,32}$/)
      .optional()
      .describe(RULE_KEYS.name.meaning),
    match: z.string().regex(MATCH).max(MATCH_LENGTH).describe(RULE_KEYS.match.meaning),
    history: z
      .strictObject({
        size: z.int().min(0).max(10_000).optional().describe(RULE_KEYS['history.size'].meaning),
        ttl: z
          .union([z.string().regex(DURATION).refine(isBelowLongest), z.literal(0)])
          .optional()
          .describe(RULE_KEYS['history.ttl'].meaning),
      })
      .optional()
      .describe('What is stored of the room.'),
    last_value: z
      .union([z.boolean(), z.literal('server')])
      .optional()
      .describe(RULE_KEYS.last_value.meaning),
    presence: z
      .strictObject({
        enabled: z.boolean().optional().describe(RULE_KEYS['presence.enabled'].meaning),
        events_limit: z
          .int()
          .min(0)
          .max(10_000)
          .optional()
          .describe(RULE_KEYS['presence.events_limit'].meaning),
      })
      .optional()
      .describe('Who is told about the members of the room.'),
    publish: z.enum(['clients', 'server', 'nobody']).optional().describe(RULE_KEYS.publish.meaning),
    join: z.enum(['token', 'anyone', 'backend']).optional().describe(RULE_KEYS.join.meaning),
    max_data_bytes: z.int().min(1).max(16_777_216).optional().describe(RULE_KEYS.max_data_bytes.meaning),
    max_members: z.int().min(1).max(10_000_000).optional().describe(RULE_KEYS.max_members.meaning),
    messages_per_second: z
      .int()
      .min(1)
      .max(1_000_000)
      .optional()
      .describe(RULE_KEYS.messages_per_second.meaning),
    backend: listOf(['join', 'publish', 'leave'], RULE_KEYS.backend.meaning).optional(),
    webhook: listOf(
      ['room_occupied', 'room_vacated', 'member_joined', 'member_left', 'message'],
      RULE_KEYS.webhook.meaning,
    ).optional(),
  })
  .describe('A rule for rooms.');

/** The whole file. Checks that need the settings are in settings-check.ts. */
export const RulesFile = z
  .strictObject({
    rooms: z
      .array(Rule)
      .describe('The rules in order: the first one whose `match` fits a room holds for it.'),
  })
  .meta({ title: 'Rules for rooms', description: 'The file that the setting ROOMS_FILE names.' });

/** One rule as the operator wrote it. */
export type WrittenRule = z.infer<typeof Rule>;

/** The JSON Schema of the file (draft 7, which Helm reads too). */
export function rulesSchema(): z.core.JSONSchema.JSONSchema {
  const { '~standard': _, ...schema } = z.toJSONSchema(RulesFile, { target: 'draft-7', io: 'input' });
  return schema;
}
