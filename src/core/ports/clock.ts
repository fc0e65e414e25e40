/** Time as the core sees it, so that tests can hold it still. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs `task` once after `ms` milliseconds; the answer cancels it. Pending tasks do not keep a process alive. */
  after(ms: number, task: () => void): () => void;
}
