import type { DataCommand } from './command.ts';
import { HASH_COMMANDS } from './hashes.ts';
import { KEY_COMMANDS } from './keys.ts';
import { PUBLISHING_COMMANDS } from './publishing.ts';
import { SET_COMMANDS } from './sets.ts';
import { SORTED_SET_COMMANDS } from './sorted-sets.ts';
import { STREAM_COMMANDS } from './streams.ts';
import { STRING_COMMANDS } from './strings.ts';

/** Everything that scripts may call too, by its name in capitals. */
export const DATA_COMMANDS: ReadonlyMap<string, DataCommand> = new Map(
  Object.entries({
    ...KEY_COMMANDS,
    ...STRING_COMMANDS,
    ...HASH_COMMANDS,
    ...SET_COMMANDS,
    ...SORTED_SET_COMMANDS,
    ...STREAM_COMMANDS,
    ...PUBLISHING_COMMANDS,
  }),
);
