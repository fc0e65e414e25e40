import { decodeChannelFrame, looksLikeChannelFrame } from './channel-decode.ts';
import { encodeBroadcast, encodeChannelEvent, encodeGuessedChannelEvent } from './channel-encode.ts';
import { encodeMessage, encodeMessageEvent } from './message-encode.ts';
import { decodeMessageFrame } from './message-decode.ts';
import type { Dialect } from './dialect.ts';

export const messageDialect: Dialect = {
  name: 'message',
  index: 0,
  hearsAll: true,
  decode: decodeMessageFrame,
  message: encodeMessage,
  event: encodeMessageEvent,
};

export const channelDialect: Dialect = {
  name: 'channel',
  index: 1,
  hearsAll: false,
  decode: decodeChannelFrame,
  message: (message) => encodeBroadcast(message.decoded(), true),
  event: encodeChannelEvent,
};

/** The channel dialect for a client that did not name it: the frames of the seed system and nothing more. */
export const guessedChannelDialect: Dialect = {
  name: 'guessed-channel',
  index: 2,
  hearsAll: false,
  decode: decodeChannelFrame,
  message: (message) => encodeBroadcast(message.decoded(), false),
  event: encodeGuessedChannelEvent,
};

/** The subprotocols that select a dialect. If a client offers several, the first one here wins. */
export const SUBPROTOCOLS: ReadonlyMap<string, Dialect> = new Map([
  ['crosspod.message.v1', messageDialect],
  ['crosspod.channel.v1', channelDialect],
]);

/** Values of `?dialect=`. */
export const DIALECT_NAMES: ReadonlyMap<string, Dialect> = new Map([
  ['message', messageDialect],
  ['channel', channelDialect],
]);

export function dialectOfFirstFrame(frame: string): Dialect {
  return looksLikeChannelFrame(frame) ? guessedChannelDialect : messageDialect;
}
