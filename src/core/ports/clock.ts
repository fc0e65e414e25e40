/** Time, passed in so that tests and the simulator control it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Monotonic milliseconds: setting the system clock does not change them. */
  elapsed(): number;
  /**
   * Runs `task` once after `ms` milliseconds; the returned function cancels it. A pending task keeps no process alive.
   */
  after(ms: number, task: () => void): () => void;
}
