/** Handshakes that wait for their answer at the same time. */
const CONCURRENCY = 64;

/** Connects so many, in the order of their numbers, few at a time: the next one when one of those before is there. */
export async function oneByOne(count: number, connect: (index: number) => Promise<void>): Promise<void> {
  let begun = 0;
  const connectNext = async (): Promise<void> => {
    while (begun < count) await connect(begun++);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, connectNext));
}
