import type { MessageType } from '../../protocol/message.ts';
import type { Published } from './broker.ts';

/** Where a message goes, as far as a trace may know: the name of a room can be personal data. */
export type Destination = 'room' | '@global' | '@direct';

export interface TracedRequest {
  readonly method: string;
  /**
   * Whether the caller has shown who it is: only then is its trace continued, and what it says of sampling obeyed. Any
   * stranger could have each of its requests traced otherwise.
   */
  readonly isKnown: boolean;
  /** A header of the request by its lower-case name; the trace that the caller is in is read from there. */
  header(name: string): string | undefined;
}

export interface RequestOutcome {
  /** The pattern that matched, never the path: that may name rooms and users. */
  readonly route: string;
  readonly status: number;
}

export interface TracedPublication {
  readonly destination: Destination;
  readonly type: MessageType;
}

/** One message's way through this pod; it ends when the message is in the members' outboxes. */
export interface DeliverySpan {
  /** `connections`: for how many connections of this pod it was. Called once. */
  end(connections: number): void;
}

/**
 * Follows requests and messages through pods. A pod that is not traced has no tracer at all, so that a message costs
 * one check for undefined. Nothing that a client sent, no room, user or token, is ever part of a trace.
 *
 * `trace` is a W3C traceparent (https://www.w3.org/TR/trace-context/) that travels between pods beside a message and
 * never reaches a client. There is one only for what is sampled: who has none has nothing to do.
 */
export interface Tracer {
  /**
   * Calls `handle` at once, and once. What it publishes and logs belongs to the request, however much later. Raises
   * what `handle` raises, which counts as status 500.
   */
  request(request: TracedRequest, handle: () => Promise<RequestOutcome>): Promise<void>;
  /** Calls `work` at once, and once; gives or raises what it does. `trace` is for the message to carry. */
  publish(
    publication: TracedPublication,
    work: (trace: string | undefined) => Promise<Published>,
  ): Promise<Published>;
  /** A message with a trace came, once for each message and pod. Undefined: this pod does not sample it. */
  deliver(trace: string, destination: Destination): DeliverySpan | undefined;
}
