/**
 * How long, in milliseconds, a room's newest position is known after its last message (docs/protocol.md, "Positions").
 */
export const POSITION_MS = 86_400_000;

/** How long, in milliseconds, a publication that is repeated under its idempotency key is recognized. */
export const CLAIM_MS = 300_000;

/** Redis or NATS counts as unavailable when it has not answered a command for so many milliseconds. */
export const ANSWER_MS = 2_000;

/** A position may be dated so many milliseconds ahead of the clock that judges it, since no two clocks agree. */
export const SKEW_MS = 60_000;

/** A publication may be dated so many milliseconds before the moment at which the pod sent it. */
export const SENT_SKEW_MS = 1_000;
