import { Random } from '../../hostile/random.ts';

/** A number for a text: whoever is named has random numbers of his own, whatever the others do with theirs. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x85ebca6b) >>> 0;
}

export function randomFor(seed: string, name: string): Random {
  const random = new Random(seedOf(`${seed}/${name}`));
  random.next();
  return random;
}
