import type { MessageType } from '../../protocol/message.ts';
import type { Published } from './broker.ts';

/** Where a message goes, as a trace names it; the name of a room can be personal data. */
export type Destination = 'room' | '@global' | '@direct';

export interface TracedRequest {
  readonly method: string;
  /**
   * Whether the caller is authenticated. Only then does the pod continue its trace and obey its sampling: otherwise any
   * stranger could have every request traced.
   */
  readonly isKnown: boolean;
  /** A header of the request by its lower-case name; the caller's trace is read from the headers. */
  header(name: string): string | undefined;
}

export interface RequestOutcome {
  /** The pattern that matched, never the path, which may name rooms and users. */
  readonly route: string;
  readonly status: number;
}

export interface TracedPublication {
  readonly destination: Destination;
  readonly type: MessageType;
}

/** The span of one message on this pod; it ends when the message is in the outboxes of the members. */
export interface DeliverySpan {
  /** Called once. `connections`: how many connections of this pod the message was for. */
  end(connections: number): void;
}

/**
 * Traces requests and messages through pods. A pod without tracing has no tracer, so that a message costs one check for
 * undefined. Nothing that a client sent, no room, user or token, may be part of a trace.
 *
 * `trace` is a W3C traceparent (https://www.w3.org/TR/trace-context/) that travels between pods beside a message and
 * never reaches a client. Only sampled messages have one.
 */
export interface Tracer {
  /**
   * Calls `handle` at once, and once. Everything it publishes and logs, now or later, belongs to the request. Raises
   * what `handle` raises, which counts as status 500.
   */
  request(request: TracedRequest, handle: () => Promise<RequestOutcome>): Promise<void>;
  /** Calls `work` at once, and once, and settles as it does. The message must carry `trace`. */
  publish(
    publication: TracedPublication,
    work: (trace: string | undefined) => Promise<Published>,
  ): Promise<Published>;
  /** Called once for each message with a trace. Undefined if this pod does not sample it. */
  deliver(trace: string, destination: Destination): DeliverySpan | undefined;
}
