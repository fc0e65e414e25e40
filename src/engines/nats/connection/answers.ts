import { errors, RequestError } from '@nats-io/transport-node';
import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { Unavailable } from '../../shared/unavailable.ts';
import { Refused } from '../../../core/base/refused.ts';

export function natsUnavailable(reason: string): Unavailable {
  return new Unavailable(`${PREFIX}${reason}`);
}

const PREFIX = 'NATS is unavailable: ';

/** JetStream refuses a request. */
export class NatsRefused extends Error {
  /** JetStream's `err_code`. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(`NATS: ${message}`);
    this.code = code;
  }
}

/** The message is larger than the stream takes. */
const TOO_LARGE = 10_054;

/** What a refusal of JetStream is to the caller. */
export function refusalOf(code: number, message: string): NatsRefused | Refused {
  return code === TOO_LARGE ? new Refused('too_large') : new NatsRefused(code, message);
}

/** Two codes with one meaning: newer servers in a cluster use the second before they know the last sequence. */
const WRONG_SEQUENCE = new Set<number>([
  JetStreamApiCodes.StreamWrongLastSequence,
  JetStreamApiCodes.StreamWrongLastSequenceUnknown,
]);

/** Whether the subject's last sequence is not the expected one: another writer was first. */
export function isWrongSequence(error: unknown): boolean {
  return error instanceof NatsRefused && WRONG_SEQUENCE.has(error.code);
}

/** Newer servers with replicas: the first message with this id is not stored yet. */
const IN_PROCESS = 10_158;

/** Whether an earlier message with the same id is still being stored. Its result is known soon. */
export function isInProcess(error: unknown): boolean {
  return error instanceof NatsRefused && error.code === IN_PROCESS;
}

/** The message to delete no longer exists. Servers report that as a fault of their own (status 500). */
const NOT_DELETED = 10_057;

/** The account's storage is full; too many requests at once. */
const BUSY = new Set<number>([10_002, 10_167]);

/**
 * What an error means. `silent`: no answer in time. `trouble`: the connection or the server fails for now. `busy`: the
 * request fails for now, the connection is good. `refused`: the request fails for good. `other`: not an error of NATS.
 */
export interface Failure {
  readonly kind: 'silent' | 'trouble' | 'busy' | 'refused' | 'other';
  /** For the log: it contains nothing that a client sent. */
  readonly reason: string;
}

export function failureOf(error: unknown): Failure {
  if (error instanceof errors.TimeoutError) return { kind: 'silent', reason: reasonOf(error) };
  if (error instanceof JetStreamApiError) {
    if (BUSY.has(error.code)) return { kind: 'busy', reason: error.message };
    // A missing stream is no refusal: the link makes it again when it greets the server.
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

/** No subscriber took the message: JetStream is off, or no stream has the subject. */
function whyUnanswered({ cause }: Error): string {
  const reason = cause instanceof RequestError ? cause.cause : undefined;
  if (!(reason instanceof errors.NoRespondersError) || reason.subject.startsWith('$JS.'))
    return 'JetStream does not answer';
  return `no stream stores ${shown(reason.subject)}; it was deleted, or JetStream is off`;
}

/** Whether the server denied a right. That stays so until an operator changes it. */
export function isDenied(error: unknown): error is InstanceType<typeof errors.PermissionViolationError> {
  return error instanceof errors.PermissionViolationError;
}

/** For the log. */
export function reasonOf(error: unknown): string {
  if (error instanceof errors.PermissionViolationError)
    return `no permission for ${error.operation} of ${shown(error.subject)}`;
  if (error instanceof RequestError && error.cause instanceof errors.PermissionViolationError)
    return reasonOf(error.cause);
  if (error instanceof RequestError && error.isNoResponders()) return 'there is no responder';
  if (error instanceof errors.TimeoutError) return 'it does not answer';
  if (error instanceof Unavailable) return error.message.replace(PREFIX, '');
  return error instanceof Error ? error.message : 'the connection was closed';
}

/** A subject for the log. Only subjects of NATS itself are whole: the rest of ours may name what a client sent. */
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
