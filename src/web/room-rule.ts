/** What the answer to a join says about the rule of its room. */
interface Answer {
  readonly type?: string;
  readonly event?: string;
  /** In the message dialect. */
  readonly room?: string;
  readonly data?: Told;
}

interface Told {
  readonly rule?: string;
  readonly max_data_bytes?: number;
}

/** Names the rule of a room that a frame tells, in either dialect; undefined if the frame tells none. */
export function ruleWords(frame: string): string | undefined {
  // Most frames tell none, and need not be parsed.
  if (!frame.includes('"rule":')) return undefined;
  const answer = JSON.parse(frame) as Answer & Told & { readonly channel?: string };
  const isJoined = answer.type === 'system' && answer.event === 'joined';
  if (!isJoined && answer.type !== 'subscribed') return undefined;
  const { rule, max_data_bytes: bytes } = (isJoined ? answer.data : answer) ?? {};
  if (rule === undefined) return undefined;
  const limit = bytes === undefined ? '' : `, which allows at most ${bytes} bytes of data`;
  return `${answer.room ?? answer.channel} has the rule ${rule}${limit}`;
}
