import { slotOf } from '../../../src/engines/redis/connection/slots.ts';
import type { Traits } from './command.ts';
import { Refused } from './replies.ts';
import type { ServerState } from './state.ts';

const CROSSED = new Refused("CROSSSLOT Keys in request don't hash to the same slot");
const AGAIN = new Refused('TRYAGAIN Multiple keys request during rehashing of slot');
const UNSERVED = new Refused('CLUSTERDOWN Hash slot not served');
const DOWN = new Refused('CLUSTERDOWN The cluster is down');
const DOWN_IN_SCRIPT = new Refused('ERR Script attempted to execute a command while the cluster is down');
const ELSEWHERE_IN_SCRIPT = new Refused('ERR Script attempted to access a non local key in a cluster node');

/** The slot of a key or channel, whose bytes are the characters of this text. */
export function slotOfBytes(text: string): number {
  return slotOf(Buffer.from(text, 'latin1').toString());
}

/**
 * The slot of all keys and channels that belong to slots; undefined where there are none, and outside a Cluster. Raises
 * Refused where this server is not the one to ask (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#redirection-and-resharding).
 */
export function slotOfCommand(
  server: ServerState,
  traits: Traits,
  words: readonly string[],
  asking: boolean,
  inScript = false,
): number | undefined {
  if (server.options.cluster === undefined) return undefined;
  const keys = traits.keys?.(words) ?? [];
  const channels = traits.sharded === true ? (traits.channels?.(words) ?? []) : [];
  try {
    return slotServed(server, { keys, channels, asking });
  } catch (error) {
    if (!inScript || !(error instanceof Refused)) throw error;
    throw error === DOWN ? DOWN_IN_SCRIPT : ELSEWHERE_IN_SCRIPT;
  }
}

/** The slot of the keys with which a script was called. */
export function slotInScript(server: ServerState, [key]: readonly string[]): number | undefined {
  return server.options.cluster === undefined || key === undefined ? undefined : slotOfBytes(key);
}

interface Asked {
  readonly keys: readonly string[];
  readonly channels: readonly string[];
  readonly asking: boolean;
}

function slotServed(server: ServerState, { keys, channels, asking }: Asked): number | undefined {
  const { cluster, address } = server.options;
  const [first, ...others] = keys.length > 0 ? keys : channels;
  if (cluster === undefined || first === undefined) return undefined;
  const slot = slotOfBytes(first);
  const owner = cluster.ownerAsSeenBy(address, slot);
  if (owner === undefined) throw UNSERVED;
  if (others.some((other) => slotOfBytes(other) !== slot)) throw CROSSED;
  if (cluster.isDown && keys.length > 0) throw DOWN;
  const move = cluster.moveOf(slot);
  const missing = move === undefined ? 0 : keys.filter((key) => server.db.entry(key) === undefined).length;
  if (owner === address && move !== undefined && missing > 0) {
    if (missing < keys.length) throw AGAIN;
    throw redirection('ASK', slot, move.to);
  }
  if (move?.to === address && asking) {
    if (keys.length > 1 && missing > 0) throw AGAIN;
    return slot;
  }
  if (owner !== address) throw redirection('MOVED', slot, owner);
  return slot;
}

function redirection(
  kind: 'ASK' | 'MOVED',
  slot: number,
  { host, port }: { host: string; port: number },
): Refused {
  return new Refused(`${kind} ${slot} ${host}:${port}`);
}
