import { asObject, dataOf, type Fields, WrongAnswer } from '../core/base/answers.ts';
import type { Content, HookDecision, Submission } from '../core/ports/hooks.ts';

/** What an allowing answer makes of a message: published, replaced in part, or suppressed. Raises WrongAnswer. */
export function readPublication({ message, suppress = false }: Fields, what: Submission): HookDecision {
  if (typeof suppress !== 'boolean') throw new WrongAnswer('suppress must be true or false');
  const content = message === undefined ? what : contentOf(asObject(message, 'message'), what);
  return suppress ? { kind: 'suppress' } : { kind: 'publish', content };
}

function contentOf(message: Fields, what: Submission): Content {
  const { type = what.type, event = what.event ?? null } = message;
  if (type !== 'chat' && type !== 'notification') throw new WrongAnswer('type must be chat or notification');
  if (event !== null && typeof event !== 'string') {
    throw new WrongAnswer('event must be a string, or null for none');
  }
  return { type, event: event || undefined, data: dataOf(message) ?? what.data };
}
