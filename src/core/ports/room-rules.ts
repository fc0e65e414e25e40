/** Who may publish in a room. `server`: holders of an API key or of the permission `api:*`. `nobody`: the API neither. */
export type PublishRule = 'clients' | 'server' | 'nobody';

/**
 * Who decides whether a client may join a room: its token's permissions, nobody (any accepted client may), or the
 * backend.
 */
export type JoinRule = 'token' | 'anyone' | 'backend';

/** What the backend can be asked about a room. */
export type BackendQuestion = 'join' | 'publish' | 'leave';

/** What a webhook can report about a room. */
export type RoomEvent = 'room_occupied' | 'room_vacated' | 'member_joined' | 'member_left' | 'message';

/** What holds for a room: the rule of the operator's file that fits it, completed from the settings. */
export interface RoomRule {
  /** The rule's `match`; undefined if no rule fits and only the settings hold. */
  readonly match: string | undefined;
  /** For metrics: the name of the rule, or `rule-<n>`; `default` without a rule. */
  readonly name: string;
  /** Messages stored. If this or `historyTtlMs` is 0, every message of the room is ephemeral. */
  readonly historySize: number;
  readonly historyTtlMs: number;
  /** Whether a join without a position brings the newest message: `any`, or the newest one of the API. */
  readonly lastValue: 'off' | 'any' | 'server';
  /** How long a message stays the value of its room. */
  readonly lastValueTtlMs: number;
  /** False: members are counted, but neither listed nor announced. */
  readonly presence: boolean;
  /** Rooms with more members announce counts instead of single joins and leaves; also the length of a member list. */
  readonly presenceEventsLimit: number;
  readonly publish: PublishRule;
  readonly join: JoinRule;
  /** Of `data` as JSON in UTF-8. Undefined: only the limit of a frame holds. */
  readonly maxDataBytes: number | undefined;
  /** Users who hear the room, on all pods. Undefined: no limit. */
  readonly maxMembers: number | undefined;
  /** Messages of one connection in one room. Undefined: no limit of its own. */
  readonly messagesPerSecond: number | undefined;
  /** Undefined: everything that the settings name. */
  readonly backend: ReadonlySet<BackendQuestion> | undefined;
  readonly webhook: ReadonlySet<RoomEvent>;
  /** The id of the one user who may join: the user that the room names where `match` has `{user}`. Undefined: no such limit. */
  readonly onlyUser: string | undefined;
}

/** What a history stores of a room: so many messages, none of them older than that. */
export type HistoryLimits = Pick<RoomRule, 'historySize' | 'historyTtlMs'>;

/** The rules for rooms. The pod calls `start` once, then any method, then `stop` once. */
export interface RoomRules {
  /** The rule that holds for the room now. It costs one look-up, and never throws. */
  ruleOf(room: string): RoomRule;
  /** The largest size and the largest age that the rules and the settings allow any room. */
  readonly widest: HistoryLimits;
  /** Follows the source of the rules. `changed` is called after other rules came into force; it must not throw. */
  start(changed: () => void): void;
  stop(): void;
}
