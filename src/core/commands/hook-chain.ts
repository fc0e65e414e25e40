import type { ArrivalDecision, CallDecision, HookDecision, Hooks, JoinDecision } from '../ports/hooks.ts';

/** RFC 6455 section 7.1.5. */
const NO_CLOSE_FRAME = 1006;

/** Asks `first`, and then, unless `first` has refused, `second`: one object for the pod. */
export function inOrder(first: Hooks, second: Hooks): Hooks {
  return {
    identifies: first.identifies || second.identifies,
    passedHeaders: union(first.passedHeaders, second.passedHeaders),
    connecting: connectingOf(first, second),
    joining: joiningOf(first, second),
    publishing: publishingOf(first, second),
    decidesOnce: first.decidesOnce || second.decidesOnce,
    calling: callingOf(first, second),
    left: both(first.left, second.left),
    disconnected(who, code) {
      first.disconnected(who, code);
      second.disconnected(who, code);
    },
  };
}

function union(a: Hooks['passedHeaders'], b: Hooks['passedHeaders']): Hooks['passedHeaders'] {
  return a === undefined || b === undefined ? (a ?? b) : [...new Set([...a, ...b])];
}

function both(first: Hooks['left'], second: Hooks['left']): Hooks['left'] {
  if (first === undefined || second === undefined) return first ?? second;
  return (...about) => {
    first(...about);
    second(...about);
  };
}

function connectingOf(first: Hooks, second: Hooks): Hooks['connecting'] {
  return async (arrival) => {
    const before = await first.connecting(arrival);
    if (before.kind !== 'allow') return before;
    const after = await second.connecting(arrival);
    if (after.kind === 'allow') return merged(before, after);
    const { id, userId, occasion, evidence } = arrival;
    // A hook must learn the end of each connection that it accepted.
    if (occasion === 'connect') {
      first.disconnected({ id, userId, rooms: [], evidence }, NO_CLOSE_FRAME);
    }
    return after;
  };
}

type Allowed<Decision> = Extract<Decision, { kind: 'allow' }>;

function merged<Decision extends Allowed<ArrivalDecision> | Allowed<JoinDecision>>(
  before: Decision,
  after: Decision,
): Decision {
  return { ...after, grant: { ...before.grant, ...after.grant } };
}

function joiningOf({ joining: first }: Hooks, { joining: second }: Hooks): Hooks['joining'] {
  if (first === undefined || second === undefined) return first ?? second;
  return (...about) => {
    const ask = (before: JoinDecision): JoinDecision | Promise<JoinDecision> =>
      before.kind === 'allow'
        ? followedBy(second(...about), (after) => (after.kind === 'allow' ? merged(before, after) : after))
        : before;
    return followedBy(first(...about), ask);
  };
}

function publishingOf({ publishing: first }: Hooks, { publishing: second }: Hooks): Hooks['publishing'] {
  if (first === undefined || second === undefined) return first ?? second;
  return (who, what, rule) => {
    const ask = (before: HookDecision): HookDecision | Promise<HookDecision> =>
      before.kind === 'publish' ? second(who, { ...what, ...before.content }, rule) : before;
    return followedBy(first(who, what, rule), ask);
  };
}

function callingOf({ calling: first }: Hooks, { calling: second }: Hooks): Hooks['calling'] {
  if (first === undefined || second === undefined) return first ?? second;
  return async (...about): Promise<CallDecision> => {
    const before = await first(...about);
    return before.kind === 'unknown' ? second(...about) : before;
  };
}

/** Synchronous if both are. */
function followedBy<A, B>(before: A | Promise<A>, ask: (before: A) => B | Promise<B>): B | Promise<B> {
  return before instanceof Promise ? before.then(ask) : ask(before);
}
