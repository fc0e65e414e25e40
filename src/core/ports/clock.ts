/** Time as the core sees it, so that tests can hold it still. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds since some moment; they go on evenly, whatever is done to the clock. */
  elapsed(): number;
  /** Runs `task` once after `ms` milliseconds; the answer cancels it. Pending tasks do not keep a process alive. */
  after(ms: number, task: () => void): () => void;
}
