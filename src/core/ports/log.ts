/** Log lines: fields first, then a sentence. No field may contain a token, a secret or what a client sent. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
