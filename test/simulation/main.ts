import './preload.ts';
import { judge } from './judge/judge.ts';
import { Lua } from './redis/lua.ts';
import { planOf } from './plan/generate.ts';
import { play } from './play.ts';
import { storyOf } from './story.ts';

const [from = '1', to = from, placement, show] = process.argv.slice(2);
const lua = new Lua();
setImmediate(() => {
  const start = performance.now();
  let count = 0;
  const kinds = new Map<string, { n: number; seed: number }>();
  for (let seed = Number(from); seed <= Number(to); seed += 1) {
    const plan = planOf(seed, { placement: placement === '' ? undefined : (placement as 'one') });
    const played = play(plan, lua);
    const violations = judge(played);
    count += 1;
    for (const { kind } of violations) {
      const known = kinds.get(kind) ?? { n: 0, seed };
      known.n += 1;
      kinds.set(kind, known);
    }
    if (show !== undefined) console.log(storyOf(played, violations, show === 'logs'), played.hash, played.events);
    else if (violations.length > 0) console.log(seed, violations[0]?.kind, violations[0]?.text.slice(0, 150), violations.length);
  }
  const seconds = (performance.now() - start) / 1_000;
  console.log(count, 'seeds', (count / seconds).toFixed(1), 'per second');
  console.log(kinds);
});
