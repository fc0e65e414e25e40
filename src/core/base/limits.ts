/** The settings that the core obeys; app.ts takes them from the configuration. */
export interface Limits {
  readonly maxConnections: number;
  /** Of one user; 0: no limit. */
  readonly maxConnectionsPerUser: number;
  readonly handshakesPerSecond: number;
  /** Frames from one connection; 0: no limit. */
  readonly messagesPerSecond: number;
  readonly maxRoomsPerConnection: number;
  /** The longest frame that a client may send; the transport closes whoever sends a longer one. */
  readonly maxMessageBytes: number;
  /** What may wait for one connection that does not read: messages and bytes. */
  readonly outboxMessages: number;
  readonly outboxBytes: number;
  /** Messages kept per room; 0 makes every message ephemeral. */
  readonly historySize: number;
  readonly presenceGraceMs: number;
  /** Members of a room up to which single joins and leaves are announced, and the length of a member list. */
  readonly presenceEventsLimit: number;
  /** How far above the mean of all pods this one may be before it gives connections away; 0: it gives none. */
  readonly rebalancePercent: number;
  /** Undefined: 3 % of its connections. */
  readonly rebalancePerSecond: number | undefined;
  readonly heartbeatSeconds: number;
  readonly heartbeatTimeoutSeconds: number;
}
