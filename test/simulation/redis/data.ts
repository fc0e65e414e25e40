/** All that a server keeps, as it was at one moment; it does not change any more. */
export interface Dump {
  readonly entries: ReadonlyMap<string, unknown>;
}
