/** What a key of a rule may hold, and what it means. The table in docs/platform/rules.md is made from this. */
export interface RuleKey {
  readonly allowed: string;
  /** What holds without the key. */
  readonly absent: string;
  readonly meaning: string;
}

/** Every key of a rule, by its path. */
export const RULE_KEYS = {
  name: {
    allowed: '1 to 32 of the characters a–z, 0–9 and -',
    absent: '`rule-<n>`, counted from 1',
    meaning: 'The name of the rule in metrics.',
  },
  match: {
    allowed:
      'a pattern of at most 640 letters, digits, and _ - . : @, in which * stands for any run of characters and {user} (at most once) for any user id; it must not begin with @',
    absent: 'a fault',
    meaning:
      'The rooms for which the rule holds: the first rule that fits a room is the only one. With `{user}`, only that user may join the room.',
  },
  'history.size': {
    allowed: 'a whole number from 0 to 10000',
    absent: '`HISTORY_SIZE`',
    meaning: 'The number of messages stored. With 0 every message is ephemeral.',
  },
  'history.ttl': {
    allowed: 'a duration such as 90s, 15m, 12h or 7d, at most 7d; or 0',
    absent: '`HISTORY_TTL_SECONDS`',
    meaning: 'How long each message is stored. With 0 every message is ephemeral.',
  },
  last_value: {
    allowed: 'true, false or server',
    absent: '`false`',
    meaning:
      'A join without `last_id` or `history` brings the newest message that is not ephemeral; with `server`, the newest one of the API. It needs no permission for the history.',
  },
  'presence.enabled': {
    allowed: 'true or false',
    absent: '`true`',
    meaning: 'Whether members are listed and announced. Without it they are only counted.',
  },
  'presence.events_limit': {
    allowed: 'a whole number from 0 to 10000',
    absent: '`PRESENCE_EVENTS_LIMIT`',
    meaning: 'The largest number of members with which single joins and leaves are announced.',
  },
  publish: {
    allowed: 'clients, server or nobody',
    absent: '`clients`',
    meaning:
      'Who may publish: clients by their permissions; only API keys and tokens with `api:*`; or not even those.',
  },
  join: {
    allowed: 'token, anyone or backend',
    absent: '`token`',
    meaning:
      'Who decides about a join: the permissions in the token; nobody, so every accepted client may join; or the backend.',
  },
  max_data_bytes: {
    allowed: 'a whole number from 1 to MAX_MESSAGE_BYTES',
    absent: 'no limit of its own',
    meaning: 'The largest `data` of a message, as JSON in UTF-8. A larger one is rejected with `too_large`.',
  },
  max_members: {
    allowed: 'a whole number from 1 to 10000000',
    absent: 'no limit',
    meaning: 'How many users may be in the room, on all pods. The next join is rejected with `room_full`.',
  },
  messages_per_second: {
    allowed: 'a whole number from 1 to 1000000',
    absent: 'no limit of its own',
    meaning: 'How many messages one connection may publish in each such room, with a burst of twice that.',
  },
  backend: {
    allowed: 'a list of join, publish and leave, each at most once',
    absent: 'all of `BACKEND_EVENTS`',
    meaning: 'The questions that the backend is asked about the room; each must be in `BACKEND_EVENTS`.',
  },
  webhook: {
    allowed:
      'a list of room_occupied, room_vacated, member_joined, member_left and message, each at most once',
    absent: 'all but `message`',
    meaning: 'What is posted to `WEBHOOK_URL` about the room.',
  },
} as const satisfies Record<string, RuleKey>;
