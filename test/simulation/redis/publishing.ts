import type { Call, DataCommand } from './command.ts';
import type { Reply } from './replies.ts';

const firstChannel = (words: readonly string[]): readonly string[] => words.slice(1, 2);

/** Commands that scripts call too and that are about no keys. */
export const PUBLISHING_COMMANDS: Readonly<Record<string, DataCommand>> = {
  PUBLISH: {
    arity: 3,
    always: true,
    channels: firstChannel,
    run: (call, words) => publish(call, words, false),
  },
  SPUBLISH: {
    arity: 3,
    always: true,
    channels: firstChannel,
    sharded: true,
    run: (call, words) => publish(call, words, true),
  },
  TIME: { arity: 1, always: true, run: timeNow },
};

/** Whoever listens at a replica hears it too, once that is told. */
function publish({ db, channels }: Call, words: readonly string[], sharded: boolean): Reply {
  const [, channel = '', message = ''] = words;
  const heard = channels.publish(channel, message, sharded);
  db.changed(...words);
  return heard;
}

function timeNow({ time }: Call): Reply {
  const now = time();
  return [String(Math.floor(now / 1e6)), String(now % 1e6)];
}
