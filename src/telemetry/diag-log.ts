import type { DiagLogger } from '@opentelemetry/api';
import { Bucket } from '../core/base/rate-limit.ts';
import type { Log } from '../core/ports/log.ts';

/**
 * An unavailable receiver fails for every batch, so after ten lines only one per minute is logged. Each level has its
 * own limit, so that lower levels cannot suppress an error.
 */
const LINES_PER_SECOND = 1 / 60;
const LINES_AT_ONCE = 10;
const LONGEST_LINE = 500;
/** The names of fields whose values may be secrets, for example keys in headers. */
const SECRET = /header|auth|token|secret|password|key|cookie|credential/i;
/** The user name and password within a URL. */
const CREDENTIALS = /(?<=:\/\/)[^/\s@]*@/g;

/** Logs OpenTelemetry's own messages, with their arguments. */
export function diagLog(log: Log): DiagLogger {
  const line = (level: keyof Log): DiagLogger['error'] => {
    const lines = new Bucket(LINES_PER_SECOND, LINES_AT_ONCE, performance.now());
    return (text, ...more) => {
      if (lines.take(performance.now()) !== 0) return;
      const whole = [text, ...more.map(textOf)].join(' ').replaceAll(CREDENTIALS, '');
      log[level]({ component: 'opentelemetry' }, whole.slice(0, LONGEST_LINE));
    };
  };
  return {
    error: line('error'),
    warn: line('warn'),
    info: line('info'),
    debug: line('debug'),
    verbose: line('debug'),
  };
}

/** Formats an error by its name and message, anything else as JSON. Never raises. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return `${value.name}: ${value.message}${causeOf(value)}`;
  try {
    return JSON.stringify(value, withoutSecrets) ?? String(value);
  } catch {
    // A cyclic value, or one that contains a bigint.
    return Object.prototype.toString.call(value);
  }
}

function causeOf({ cause }: Error): string {
  return cause === undefined ? '' : ` (${textOf(cause)})`;
}

function withoutSecrets(name: string, value: unknown): unknown {
  if (SECRET.test(name)) return undefined;
  return value instanceof Error ? textOf(value) : value;
}
