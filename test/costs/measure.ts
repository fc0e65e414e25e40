import { Counter } from './crowd.ts';
import type { MeasuredPod } from './measured-pod.ts';

/** What one message, one join, one join with a long list and one resume cost a pod: heap bytes, promises and timers. */
export type Table = Readonly<Record<'message' | 'join' | 'list' | 'resume', Cost>>;
type Cost = Awaited<ReturnType<MeasuredPod['costs']>>;

const MEMBERS = 10;
const MESSAGES = 1_000;
const JOINS = 200;
/** Members of a room that are listed to each that joins. */
const LISTED = 50;
const LISTS = 50;
const RESUMES = 40;
/** Messages that each resume replays. */
const REPLAYED = 100;
const TEXT = 'x'.repeat(120);

export async function measure(pod: MeasuredPod): Promise<Table> {
  return {
    message: await messageCost(pod),
    join: await joinCost(pod),
    list: await listCost(pod),
    resume: await resumeCost(pod),
  };
}

/** One message after the other in a room of ten; the next is published once all members have the last one. */
async function messageCost(pod: MeasuredPod): Promise<Cost> {
  const members = await connectAll(pod, MEMBERS, 'busy');
  const [publisher] = members;
  let published = 0;
  const publishMany = async (): Promise<void> => {
    const end = published + MESSAGES;
    while (published < end) {
      published += 1;
      publisher?.send(`{"type":"chat","ref":"m${published}","data":{"text":"${TEXT}"}}`);
      await Promise.all(members.map((member) => member.until(() => member.chats >= published)));
    }
  };
  await publishMany();
  await publishMany();
  const cost = await pod.costs(MESSAGES, publishMany);
  for (const member of members) member.terminate();
  return cost;
}

/** A client connects and joins a room of its own with presence, and leaves in order. */
async function joinCost(pod: MeasuredPod): Promise<Cost> {
  let joined = 0;
  const joinMany = async (): Promise<void> => {
    for (let n = 0; n < JOINS; n += 1) {
      const member = await Counter.connect(urlOf(pod, `own-${(joined += 1)}`, `user-${joined}`));
      await member.close();
    }
  };
  await joinMany();
  await joinMany();
  return pod.costs(JOINS, joinMany);
}

/** A client connects and joins a room in which its user is present with 49 others, and leaves in order. */
async function listCost(pod: MeasuredPod): Promise<Cost> {
  const members = await connectAll(pod, LISTED, 'listed');
  const joinMany = async (): Promise<void> => {
    for (let n = 0; n < LISTS; n += 1) {
      const member = await Counter.connect(urlOf(pod, 'listed', 'member-0'));
      await member.close();
    }
  };
  await joinMany();
  await joinMany();
  const cost = await pod.costs(LISTS, joinMany);
  for (const member of members) member.terminate();
  return cost;
}

/** A client connects with a position a hundred messages old, gets them, and leaves in order. */
async function resumeCost(pod: MeasuredPod): Promise<Cost> {
  const publisher = await Counter.connect(urlOf(pod, 'past', 'publisher'));
  publisher.send('{"type":"chat","ref":"first","data":{"text":"first"}}');
  await publisher.until(() => publisher.chats === 1 && publisher.last.includes('"ack"'));
  const lastId = (JSON.parse(publisher.last) as { id: string }).id;
  for (let n = 0; n < REPLAYED; n += 1) publisher.send(`{"type":"chat","data":{"text":"${TEXT}"}}`);
  await publisher.until(() => publisher.chats === REPLAYED + 1);
  const resumeMany = async (): Promise<void> => {
    for (let n = 0; n < RESUMES; n += 1) {
      const url = `${urlOf(pod, 'past', 'reader')}&last_id=${lastId}`;
      const reader = await Counter.connect(url);
      await reader.until(() => reader.chats === REPLAYED);
      await reader.close();
    }
  };
  await resumeMany();
  await resumeMany();
  const cost = await pod.costs(RESUMES, resumeMany);
  publisher.terminate();
  return cost;
}

function connectAll(pod: MeasuredPod, count: number, room: string): Promise<Counter[]> {
  const all = Array.from({ length: count }, (_, n) => Counter.connect(urlOf(pod, room, `member-${n}`)));
  return Promise.all(all);
}

function urlOf({ port }: MeasuredPod, room: string, user: string): string {
  return `ws://127.0.0.1:${port}/ws/${room}?user_id=${user}`;
}
