/** For a promise whose failure shows elsewhere, for example in the state of a connection that retries by itself. */
export function ignored(): void {}
