import type { LastValueSlot, Published } from '../../core/ports/broker.ts';

export interface PublicationOptions {
  readonly room: string;
  readonly body: string;
  readonly key: string | undefined;
  readonly trace: string | undefined;
  readonly lastValue: LastValueSlot | undefined;
  /**
   * Its name until it has a position: derived from the room and the idempotency key, or unique where there is no key.
   */
  readonly provisionalId: string;
}

/** A message on its way from a publisher to a room's history. */
export class Publication implements PublicationOptions {
  readonly room: string;
  readonly body: string;
  readonly key: string | undefined;
  readonly trace: string | undefined;
  readonly lastValue: LastValueSlot | undefined;
  readonly provisionalId: string;
  /** This pod's members have received it, before the history stored it. */
  provisional = false;
  inFlight = false;
  /** An attempt has failed: without an answer nobody knows whether the history stored it then. */
  failed = false;
  /** When it was first sent, by `Appender.now`. Once set, the history may hold it although no answer came. */
  sentAt: number | undefined;
  /** The publisher's answer. */
  readonly answered = Promise.withResolvers<Published>();
  /** Set when the publisher is answered before the history stored the publication. */
  settled: PromiseWithResolvers<Published> | undefined;

  constructor({ room, body, key, trace, lastValue, provisionalId }: PublicationOptions) {
    this.room = room;
    this.body = body;
    this.key = key;
    this.trace = trace;
    this.lastValue = lastValue;
    this.provisionalId = provisionalId;
  }
}
