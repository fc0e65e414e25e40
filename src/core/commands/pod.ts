import type { Authenticator } from '../ports/authenticator.ts';
import type { Hooks } from '../ports/hooks.ts';
import type { PersonalRoom } from '../base/personal-room.ts';
import type { PodParts } from '../pod/parts.ts';
import type { Roster } from '../presence/roster.ts';
import type { Tracer } from '../ports/tracer.ts';
import type { Watcher } from '../ports/watcher.ts';

/** Makes unique names; passed in so that a test can predict them. */
export interface Ids {
  connection(): string;
  /** For a message without a position; never looks like a position. */
  ephemeral(): string;
}

/** All parts of one pod, as its use cases see them. */
export interface Pod extends PodParts {
  readonly name: string;
  /** By `Clock.elapsed`. */
  readonly startedAt: number;
  readonly roster: Roster;
  /** Undefined while authentication is off. */
  readonly authenticator: Authenticator | undefined;
  /** Undefined while the operator has configured no hooks. */
  readonly hooks?: Hooks | undefined;
  /** Undefined while users have no room of their own (PERSONAL_ROOM). */
  readonly personalRoom?: PersonalRoom | undefined;
  /** Undefined while the operator has configured no webhook. */
  readonly watcher?: Watcher | undefined;
  readonly ids: Ids;
  /** Undefined while tracing is off. */
  readonly tracer?: Tracer | undefined;
}
