import { errors, RequestError } from '@nats-io/transport-node';
import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { Unavailable } from '../../shared/unavailable.ts';
import { Refused } from '../../../core/base/refused.ts';

/** NATS cannot be reached, does not answer, or does not take what is to be kept. */
export function natsUnavailable(reason: string): Unavailable {
  return new Unavailable(`${AWAY}${reason}`);
}

const AWAY = 'NATS is away: ';

/** JetStream says that what was asked cannot be done. */
export class NatsRefused extends Error {
  /** Which of its errors (`err_code`). */
  readonly code: number;

  constructor(code: number, message: string) {
    super(`NATS: ${message}`);
    this.code = code;
  }
}

/** The stream takes no message of that size. */
const TOO_LARGE = 10_054;

/** What JetStream says cannot be done, for whoever asked. */
export function refusalOf(code: number, message: string): NatsRefused | Refused {
  return code === TOO_LARGE ? new Refused('too_large') : new NatsRefused(code, message);
}

/** Two codes for one thing: newer servers in a cluster say it before they know which sequence is the last. */
const WRONG_SEQUENCE = new Set<number>([
  JetStreamApiCodes.StreamWrongLastSequence,
  JetStreamApiCodes.StreamWrongLastSequenceUnknown,
]);

/** Whether a subject's last sequence is not the one that was expected: somebody else came first. */
export function isWrongSequence(error: unknown): boolean {
  return error instanceof NatsRefused && WRONG_SEQUENCE.has(error.code);
}

/** A newer server with replicas has not kept yet what came first under the message id. */
const IN_PROCESS = 10_158;

/** Whether what has the same message id is still on its way into the stream: what comes of it is known soon. */
export function isInProcess(error: unknown): boolean {
  return error instanceof NatsRefused && error.code === IN_PROCESS;
}

/** What was to be deleted is not there any more: servers call that a fault of their own. */
const NOT_DELETED = 10_057;

/** The account may keep no more; too many ask for something at once. */
const BUSY = new Set<number>([10_002, 10_167]);

/**
 * What an error means: `silent`, no answer in time; `trouble`, it passes; `busy`, it passes, and the connection is good;
 * `refused`, it does not pass.
 */
export interface Failure {
  readonly kind: 'silent' | 'trouble' | 'busy' | 'refused' | 'other';
  /** Without what a client sent. */
  readonly reason: string;
}

export function failureOf(error: unknown): Failure {
  if (error instanceof errors.TimeoutError) return { kind: 'silent', reason: reasonOf(error) };
  if (error instanceof JetStreamApiError) {
    if (BUSY.has(error.code)) return { kind: 'busy', reason: error.message };
    // A stream that was there at the greeting is there again after the next one.
    const isWrong =
      error.code === NOT_DELETED ||
      (error.status >= 400 && error.status < 500 && error.code !== JetStreamApiCodes.StreamNotFound);
    return { kind: isWrong ? 'refused' : 'trouble', reason: error.message };
  }
  if (error instanceof Error && error.name === 'JetStreamNotEnabled')
    return { kind: 'trouble', reason: whyUnanswered(error) };
  if (error instanceof RequestError || isOfConnection(error))
    return { kind: 'trouble', reason: reasonOf(error) };
  return { kind: 'other', reason: reasonOf(error) };
}

/** Nobody took what was sent: there is no JetStream, or it has no stream for what was to be kept. */
function whyUnanswered({ cause }: Error): string {
  const reason = cause instanceof RequestError ? cause.cause : undefined;
  if (!(reason instanceof errors.NoRespondersError) || reason.subject.startsWith('$JS.'))
    return 'JetStream does not answer';
  return `no stream keeps ${shown(reason.subject)}; it was deleted, or JetStream is off`;
}

/** Whether what was asked is not permitted, which stays so until somebody changes it. */
export function isDenied(error: unknown): error is InstanceType<typeof errors.PermissionViolationError> {
  return error instanceof errors.PermissionViolationError;
}

/** Why, for the log. */
export function reasonOf(error: unknown): string {
  if (error instanceof errors.PermissionViolationError)
    return `no permission for ${error.operation} of ${shown(error.subject)}`;
  if (error instanceof RequestError && error.cause instanceof errors.PermissionViolationError)
    return reasonOf(error.cause);
  if (error instanceof RequestError && error.isNoResponders()) return 'nobody answers';
  if (error instanceof errors.TimeoutError) return 'it does not answer';
  if (error instanceof Unavailable) return error.message.replace(AWAY, '');
  return error instanceof Error ? error.message : 'the connection was closed';
}

/** Those of NATS itself as they are; the rest of any other may name what a client sent. */
export function shown(subject: string): string {
  if (subject.startsWith('$JS.')) return subject;
  const [first = '', second = ''] = subject.split('.');
  return `${first}.${second}.…`;
}

function isOfConnection(error: unknown): boolean {
  return [
    errors.AuthorizationError,
    errors.ClosedConnectionError,
    errors.ConnectionError,
    errors.DrainingConnectionError,
    errors.PermissionViolationError,
    errors.ProtocolError,
    errors.UserAuthenticationExpiredError,
  ].some((kind) => error instanceof kind);
}
