import { expect, onTestFinished } from 'vitest';
import type { Member, Platform } from '../../src/client/client.ts';
import { eventually } from '../faults/world.ts';
import { Person } from './person.ts';
import { expectNothingLost, lastWords } from './world.ts';

/** Joined at once, so that the pods' limit of handshakes is not met. */
const AT_ONCE = 50;

/** A person of a crowd; notes also whom it was told of, and when it was back. */
export class Participant extends Person {
  readonly roomName: string;
  /** Each word about somebody's presence, since it was last forgotten. */
  told: Member[] = [];
  /** The shortest list of members it had, since the longest. */
  fewest = Number.POSITIVE_INFINITY;
  /** When each reconnect was over, in milliseconds since 1970. */
  readonly returns: number[] = [];
  /** When its pods told it to be back, by their clock. */
  readonly summons: readonly number[];

  constructor(name: string, url: string, room: string) {
    const summons: number[] = [];
    super(name, url, { room, platform: { WebSocket: overheard((at) => summons.push(at)) } });
    this.summons = summons;
    this.roomName = room;
    this.room.onPresence((member) => this.told.push(member));
    this.room.onMembers((members) => {
      this.fewest = Math.min(this.fewest, members.length);
    });
    this.client.onState((state) => {
      if (state === 'connected' && this.states.length > 1) this.returns.push(Date.now());
    });
  }
}

/** A WebSocket that passes on when a pod that sends it away wants it back. */
function overheard(summoned: (at: number) => void): Platform['WebSocket'] {
  return class extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      this.addEventListener('message', ({ data }) => {
        if (!String(data).includes('"event":"drain"')) return;
        const frame = JSON.parse(String(data)) as { timestamp: string; data: { reconnect_after_ms: number } };
        summoned(Date.parse(frame.timestamp) + frame.data.reconnect_after_ms);
      });
    }
  };
}

/** Many people in rooms of the same size, who have all joined and know each other. */
export class Crowd {
  readonly people: readonly Participant[];
  readonly rooms: ReadonlyMap<string, readonly Participant[]>;

  constructor(people: readonly Participant[]) {
    this.people = people;
    this.rooms = Map.groupBy(people, ({ roomName }) => roomName);
  }

  /** From now on everything about presence counts. */
  forgetPresence(): void {
    for (const person of this.people) {
      person.told = [];
      person.fewest = Number.POSITIVE_INFINITY;
    }
  }

  /** One after the other says something, each again after `everyMs`, also while their lines are down. */
  startTalk(everyMs: number): { stop: () => void } {
    let turn = 0;
    const timer = setInterval(() => {
      const speaker = this.people[turn % this.people.length];
      turn += 1;
      if (speaker?.client.state !== 'closed') void speaker?.say();
    }, everyMs / this.people.length);
    const stop = (): void => clearInterval(timer);
    onTestFinished(stop);
    return { stop };
  }

  /** Everybody but `except` has heard every number of their room once and in each speaker's order. */
  async expectNothingLost(except: readonly Participant[] = []): Promise<void> {
    for (const everybody of this.rooms.values()) {
      const people = everybody.filter((one) => !except.includes(one));
      await lastWords(people, people);
      await expectNothingLost(people, people);
    }
  }
}

/** Nobody was told that somebody came or left, and nobody who came back found anybody missing. */
export function expectQuietPresence({ people, rooms }: Crowd): void {
  for (const { name, told, fewest, roomName } of people) {
    const everybody = rooms.get(roomName)?.length ?? 0;
    expect(told, `told to ${name}`).toEqual([]);
    expect(Math.min(fewest, everybody), `members that ${name} knew`).toBe(everybody);
  }
}

/** So many people in each of so many rooms, through the door at `url`. They leave when the test ends. */
export async function gather(url: string, rooms: number, perRoom: number): Promise<Crowd> {
  const people: Participant[] = [];
  onTestFinished(() => people.forEach(({ client }) => client.close()));
  for (let n = 0; n < rooms * perRoom; n += AT_ONCE) {
    const indices = Array.from({ length: Math.min(AT_ONCE, rooms * perRoom - n) }, (_, index) => n + index);
    const some = indices.map((index) => new Participant(`p${index}`, url, `room-${index % rooms}`));
    people.push(...some);
    await Promise.all(some.map(({ room }) => room.join()));
  }
  for (const person of people) {
    await eventually(`${person.name} to know all`, () => person.members.length === perRoom);
  }
  return new Crowd(people);
}
