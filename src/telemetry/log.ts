import type { Log } from '../core/ports/log.ts';
import { pino } from 'pino';

export interface LogOptions {
  /** A level of pino. */
  readonly level: string;
  /** `pretty` is for terminals. */
  readonly format: 'json' | 'pretty';
  /** Fields of each line, read when it is written: `trace_id` and `span_id` within a sampled span. */
  readonly fields?: () => object;
}

/** Creates a log that writes to standard output. */
export async function createLog({ level, format, fields }: LogOptions): Promise<Log> {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, ...mixinOf(fields) };
  let log: Log;
  if (format === 'json') {
    log = pino(options);
    return log;
  }
  // Imported only here, because production does not need it.
  const { default: pretty } = await import('pino-pretty');
  log = pino(options, pretty({ sync: true, ignore: 'pod' }));
  return log;
}

function mixinOf(fields: LogOptions['fields']): { mixin?: () => object } {
  return fields === undefined ? {} : { mixin: fields };
}
