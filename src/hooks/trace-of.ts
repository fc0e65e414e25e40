import { WrongAnswer } from '../core/base/answers.ts';

/** The place of an error without its message, which may quote what a client sent. */
export function traceOf(error: unknown): object {
  if (error instanceof WrongAnswer) return { reason: error.message };
  if (!(error instanceof Error)) return { reason: `threw ${typeof error}` };
  const { message, name, stack = '' } = error;
  const start = stack.indexOf(message);
  const lines = start === -1 ? [] : stack.slice(start + message.length).split('\n');
  return {
    reason: `threw ${name}`,
    at: lines
      .map((line) => line.trim())
      .filter(Boolean)
      .slice(0, 5),
  };
}
