import { discover } from './pods.ts';
import type { Settings } from './settings.ts';

/** What all virtual users know, from `setup`; times in milliseconds since 1970. */
export interface Plan {
  readonly run: string;
  /** Names of the pods that were found, in order. */
  readonly pods: readonly string[];
  readonly start: number;
  readonly publishFrom: number;
  readonly publishUntil: number;
  readonly end: number;
}

export function planOf(settings: Settings): Plan {
  const pods = discover(settings);
  const start = Date.now();
  const publishFrom = start + settings.join * 1_000;
  const publishUntil = publishFrom + settings.duration * 1_000;
  return {
    // Rooms that nobody used before, so that no history gets in.
    run: settings.run ?? `k6-${start.toString(36)}`,
    pods,
    start,
    publishFrom,
    publishUntil,
    end: publishUntil + settings.settle * 1_000,
  };
}

/** How long one virtual user is at work. */
export function secondsOf({ join, duration, settle }: Settings): number {
  return join + duration + settle;
}

/** How many messages each virtual user publishes. */
export function messagesOf({ duration, rate }: Settings): number {
  return Math.max(1, Math.floor(duration * rate));
}

/** The room of a virtual user; they are counted from 0. */
export function roomOf(index: number, { rooms }: Settings, { run }: Plan): string {
  return `${run}-${index % rooms}`;
}

export function userOf(index: number, { run }: Plan): string {
  return `${run}-user-${index}`;
}

/** All virtual users of the room, this one among them. */
export function membersOf(index: number, { rooms, vus }: Settings): number[] {
  const members: number[] = [];
  for (let one = index % rooms; one < vus; one += rooms) members.push(one);
  return members;
}

/**
 * When one connects: somewhere in the first half of `JOIN`. By chance, as a balancer that takes turns would else give
 * one pod every second one, and with it all members of every second room.
 */
export function arrivalOf({ join }: Settings, { start }: Plan): number {
  return start + (Math.random() * join * 1_000) / 2;
}
