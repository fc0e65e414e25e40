import type { DiagLogger } from '@opentelemetry/api';
import { Bucket } from '../core/base/rate-limit.ts';
import type { Log } from '../core/ports/log.ts';

/**
 * A receiver that is away is away for every batch: it is said ten times, then once a minute. Each level has ten of its
 * own, so that no chatter of a lower one leaves an error unsaid.
 */
const LINES_PER_SECOND = 1 / 60;
const LINES_AT_ONCE = 10;
const LONGEST_LINE = 500;
/** Names of fields whose values may be a secret: headers hold keys of receivers. */
const SECRET = /header|auth|token|secret|password|key|cookie|credential/i;
/** Of an address what may be a name and a password. */
const CREDENTIALS = /(?<=:\/\/)[^/\s@]*@/g;

/** What OpenTelemetry has to say about itself, as log lines: its further arguments say what its text is about. */
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

/** An error in its own words, anything else as JSON; never raises. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return `${value.name}: ${value.message}${causeOf(value)}`;
  try {
    return JSON.stringify(value, withoutSecrets) ?? String(value);
  } catch {
    // It holds itself, or a number that JSON has no form for.
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
