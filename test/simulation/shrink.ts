import type { Plan } from './plan/plan.ts';

/** A list, and how a plan looks with another one in its place. */
interface Part<Item> {
  readonly of: (plan: Plan) => readonly Item[];
  readonly with: (plan: Plan, items: readonly Item[]) => Plan;
}

const FAULTS: Part<Plan['faults'][number]> = {
  of: ({ faults }) => faults,
  with: (plan, faults) => ({ ...plan, faults }),
};
const CLIENTS: Part<Plan['clients'][number]> = {
  of: ({ clients }) => clients,
  with: (plan, clients) => ({
    ...plan,
    clients,
    steps: plan.steps.filter(({ client }) => clients.some(({ name }) => name === client)),
  }),
};
const STEPS: Part<Plan['steps'][number]> = {
  of: ({ steps }) => steps,
  with: (plan, steps) => ({ ...plan, steps }),
};

/**
 * Takes away faults, clients and steps for as long as what is left still `fails` in the same way. The seed stays, so that
 * what is left has the same random numbers; `most` bounds the plays.
 */
export function shrink(plan: Plan, fails: (plan: Plan) => boolean, most = 250): Plan {
  let plays = 0;
  const stillFails = (candidate: Plan): boolean => {
    plays += 1;
    return plays <= most && fails(candidate);
  };
  let now = plan;
  for (;;) {
    const size = sizeOf(now);
    now = without(now, FAULTS, stillFails);
    now = without(now, CLIENTS, stillFails);
    now = without(now, STEPS, stillFails);
    now = shorter(now, stillFails);
    if (sizeOf(now) === size) return now;
  }
}

function sizeOf({ faults, clients, steps }: Plan): number {
  return faults.length + clients.length + steps.length;
}

/** Takes away half of the items, then quarters, and so on down to single ones. */
function without<Item>(plan: Plan, part: Part<Item>, fails: (plan: Plan) => boolean): Plan {
  let now = plan;
  for (let size = Math.ceil(part.of(now).length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < part.of(now).length;) {
      const items = part.of(now);
      const candidate = part.with(now, [...items.slice(0, from), ...items.slice(from + size)]);
      if (fails(candidate)) now = candidate;
      else from += size;
    }
  }
  return now;
}

/** Faults that last half as long are easier to follow. */
function shorter(plan: Plan, fails: (plan: Plan) => boolean): Plan {
  let now = plan;
  for (const [index, { ms }] of plan.faults.entries()) {
    const faults = now.faults.with(index, {
      ...(now.faults[index] as Plan['faults'][number]),
      ms: Math.round(ms / 2),
    });
    const candidate = { ...now, faults };
    if (ms > 400 && fails(candidate)) now = candidate;
  }
  return now;
}
