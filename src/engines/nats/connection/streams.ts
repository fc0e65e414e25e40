import {
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  RetentionPolicy,
  StorageType,
  type StreamInfo,
} from '@nats-io/jetstream';
import type { Live } from './link.ts';
import { nanos } from '@nats-io/transport-node';

export type { StreamInfo } from '@nats-io/jetstream';

/** A stream with this name and other settings exists. */
const IN_USE = 10_058;

/** A server's default. */
const DUPLICATES_MS = 120_000;

/**
 * The duplicate window of streams whose messages have no ids. It must be set: the server's default may be longer than a
 * maximum age that is configured later, and the server would then refuse that.
 */
export const UNNAMED_MS = 1_000;

/**
 * Presence rows that their pod does not write again expire after this, also those of users who left. Nothing is purged:
 * when NATS 2.9 purges by subject, consumers may skip messages that they have not read.
 */
export const ROW_AGE_MS = 600_000;

/** The settings of a stream. */
export interface StreamPlan {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly replicas: number;
  /** 0: messages do not expire. */
  readonly maxAgeMs: number;
  readonly perSubject: number;
  /** How long the server remembers a message id. */
  readonly duplicatesMs?: number;
  /** Stored messages are published again on `dest`. */
  readonly republish?: { readonly src: string; readonly dest: string };
  /** A larger age or number of messages that the stream has already is left as it is. */
  readonly growsOnly?: boolean;
  /** Set only when the stream is created. */
  readonly description?: string;
}

/** Creates the stream, or updates its settings. Raises errors of JetStream. */
export async function ensureStream(live: Live, plan: StreamPlan): Promise<StreamInfo> {
  const info = await ensured(live, plan);
  live.madeAt.set(plan.name, info.created);
  return info;
}

async function ensured({ jsm }: Live, plan: StreamPlan): Promise<StreamInfo> {
  const { name, description } = plan;
  const there = await jsm.streams.info(name).catch(unlessMissing);
  const settings = { ...settingsOf(plan), ...(plan.growsOnly && there && kept(plan, there)) };
  if (there !== undefined) {
    const isAsPlanned = Object.entries(settings).every(([key, value]) =>
      isSame(there.config[key as keyof typeof settings], value),
    );
    return isAsPlanned ? there : jsm.streams.update(name, settings);
  }
  try {
    return await jsm.streams.add({
      name,
      ...settings,
      ...(description !== undefined && { description }),
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
    });
  } catch (error) {
    // Another pod created it first.
    if (isApiError(error, IN_USE)) return jsm.streams.info(name);
    throw error;
  }
}

function settingsOf({ subjects, replicas, maxAgeMs, perSubject, duplicatesMs, republish }: StreamPlan) {
  return {
    subjects: [...subjects],
    num_replicas: replicas,
    max_age: nanos(maxAgeMs),
    max_msgs_per_subject: perSubject,
    // A server refuses a window longer than the maximum age.
    duplicate_window: nanos(Math.min(duplicatesMs ?? DUPLICATES_MS, maxAgeMs || Infinity)),
    ...(republish !== undefined && { republish: { ...republish } }),
  };
}

/** What the stream has, where that is more than planned. */
function kept(plan: StreamPlan, { config }: StreamInfo) {
  const { max_age, max_msgs_per_subject } = settingsOf(plan);
  return {
    max_age: Math.max(max_age, config.max_age),
    max_msgs_per_subject: Math.max(max_msgs_per_subject, config.max_msgs_per_subject),
  };
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function unlessMissing(error: unknown): undefined {
  if (isApiError(error, JetStreamApiCodes.StreamNotFound)) return undefined;
  throw error;
}

function isApiError(error: unknown, code: number): boolean {
  return error instanceof JetStreamApiError && error.code === code;
}
