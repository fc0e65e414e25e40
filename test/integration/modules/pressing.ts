import type { HooksModule } from '../../../src/hooks/types.ts';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Hooks that press the pod as a message's `data.do` tells them, for test/integration/overload.test.ts. */

const TURN_MS = 150;
const FULL = 0.93;
const PIECE = 50_000;

let hoard: number[][] = [];
let slow = false;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Every turn of the event loop takes so long until it is told to stop. */
function dawdle(): void {
  if (!slow) return;
  const end = Date.now() + TURN_MS;
  while (Date.now() < end);
  setImmediate(dawdle);
}

function fill(): void {
  for (;;) {
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
    if (used / limit > FULL) return;
    hoard.push(Array.from({ length: PIECE }, (_, index) => index + 0.5));
  }
}

export const onMessage: HooksModule['onMessage'] = (_, { data }) => {
  switch ((data as { do?: string }).do) {
    case 'dawdle':
      slow = true;
      dawdle();
      break;
    case 'hurry':
      slow = false;
      break;
    case 'fill':
      fill();
      break;
    case 'empty':
      hoard = [];
      collectGarbage();
      break;
    case undefined:
  }
  return undefined;
};
