import type { ClusterView } from './cluster.ts';
import { OK, Refused, type Reply } from './replies.ts';
import { slotOfBytes } from './routing.ts';
import { connectionOf, type Session, type SessionCommand } from './session.ts';

const DISABLED = new Refused('ERR This instance has cluster support disabled');

/** What a server of a Cluster is asked about that. */
export const CLUSTER_COMMANDS: Readonly<Record<string, SessionCommand>> = {
  CLUSTER: { arity: -2, always: true, run: cluster },
  ASKING: { arity: 1, run: asking },
};

function asking(session: Session): Reply {
  clusterOf(session);
  connectionOf(session).asking = true;
  return OK;
}

function cluster(session: Session, [, subcommand = '', ...words]: readonly string[]): Reply {
  const view = clusterOf(session);
  switch (subcommand.toUpperCase()) {
    case 'SLOTS':
      return slots(session, view);
    case 'MYID':
      return session.server.nodeId;
    case 'KEYSLOT':
      return slotOfBytes(words[0] ?? '');
    default:
      throw new Refused(`ERR unknown subcommand '${subcommand}'. Try CLUSTER HELP.`);
  }
}

function slots({ server }: Session, view: ClusterView): Reply {
  const ranges = view.rangesAsSeenBy(server.options.address);
  return ranges.map(({ first, last, servers }) => [
    first,
    last,
    ...servers.map(({ address, state }) => [address.host, address.port, state.nodeId, []]),
  ]);
}

function clusterOf({ server }: Session): ClusterView {
  if (server.options.cluster === undefined) throw DISABLED;
  return server.options.cluster;
}
