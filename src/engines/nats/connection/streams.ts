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

/** The name is in use, by one with other settings. */
const IN_USE = 10_058;

/** What a server takes by itself. */
const DUPLICATES_MS = 120_000;

/**
 * For a stream whose messages have no ids. It has to be said: what a server takes by itself may be longer than the age
 * that messages may have later, which it would then refuse.
 */
export const UNNAMED_MS = 1_000;

/**
 * Rows of presence that their pod does not write again go after this, and with them those of users who are gone. Nothing
 * is purged: a NATS 2.9 that purges by subject may make consumers skip what they have not read.
 */
export const ROW_AGE_MS = 600_000;

/** What a stream keeps. */
export interface StreamPlan {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly replicas: number;
  readonly maxAgeMs: number;
  readonly perSubject: number;
  /** So long a message id is known. */
  readonly duplicatesMs?: number;
  /** What it keeps goes to whoever listens. */
  readonly republish?: { readonly src: string; readonly dest: string };
  /** Only of one that is made now. */
  readonly description?: string;
}

/** Makes sure that the stream is there and keeps what it is to keep. Raises what JetStream says. */
export async function ensureStream(live: Live, plan: StreamPlan): Promise<StreamInfo> {
  const info = await ensured(live, plan);
  live.madeAt.set(plan.name, info.created);
  return info;
}

async function ensured({ jsm }: Live, plan: StreamPlan): Promise<StreamInfo> {
  const { name, description } = plan;
  const settings = settingsOf(plan);
  const there = await jsm.streams.info(name).catch(unlessMissing);
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
    // Another pod was first.
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
    // Never longer than messages are kept.
    duplicate_window: nanos(Math.min(duplicatesMs ?? DUPLICATES_MS, maxAgeMs)),
    ...(republish !== undefined && { republish: { ...republish } }),
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
