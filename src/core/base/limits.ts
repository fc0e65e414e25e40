/** The settings that the core obeys; adapters.ts reads them from the configuration. */
export interface Limits {
  readonly maxConnections: number;
  /** Per user; 0: no limit. */
  readonly maxConnectionsPerUser: number;
  readonly handshakesPerSecond: number;
  /** Frames per connection; 0: no limit. */
  readonly messagesPerSecond: number;
  readonly maxRoomsPerConnection: number;
  /** The longest frame that a client may send; the transport closes the connection if a frame is longer. */
  readonly maxMessageBytes: number;
  /** How many messages and bytes may wait in the outbox of a client that does not read. */
  readonly outboxMessages: number;
  readonly outboxBytes: number;
  readonly presenceGraceMs: number;
  /** How far above the mean of all pods this pod may be before it moves connections away; 0: it moves none. */
  readonly rebalancePercent: number;
  /** Undefined: 3 % of the pod's connections. */
  readonly rebalancePerSecond: number | undefined;
  readonly heartbeatSeconds: number;
  readonly heartbeatTimeoutSeconds: number;
}
