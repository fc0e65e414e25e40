import type { Reply } from './replies.ts';
import type { Session } from './session.ts';
import type { ServerState } from './state.ts';

/** The sections of INFO that are asked for; all of them, unless some are named. */
export function info({ server }: Session, [, ...names]: readonly string[]): Reply {
  const sections: Record<string, readonly string[]> = {
    server: serverLines(server),
    persistence: [`loading:${Number(server.refusal === 'LOADING')}`],
    replication: replicationLines(server),
    cluster: [`cluster_enabled:${Number(server.options.cluster !== undefined)}`],
  };
  const asked = names.length === 0 ? Object.keys(sections) : names.map((name) => name.toLowerCase());
  const texts = asked.flatMap((name) => {
    const lines = sections[name];
    const title = `# ${name.charAt(0).toUpperCase()}${name.slice(1)}`;
    return lines === undefined ? [] : [[title, ...lines, ''].join('\r\n')];
  });
  return texts.join('\r\n');
}

/** What it is to others, as ROLE tells. */
export function role({ server }: Session): Reply {
  const { master, replication } = server;
  if (master === undefined) return ['master', replication.offset, []];
  const state = replication.isCopied ? 'connected' : 'connect';
  return ['slave', master.host, master.port, state, replication.isCopied ? replication.offset : -1];
}

function serverLines({ options, runId, version }: ServerState): readonly string[] {
  const mode = options.cluster === undefined ? 'standalone' : 'cluster';
  return [
    `redis_version:${version}`,
    `redis_mode:${mode}`,
    `run_id:${runId}`,
    `tcp_port:${options.address.port}`,
  ];
}

function replicationLines({ master, replication, replicationId }: ServerState): readonly string[] {
  const connected = [
    `connected_slaves:${replication.replicas.size}`,
    `master_replid:${replicationId}`,
    `master_repl_offset:${replication.offset}`,
  ];
  if (master === undefined) return ['role:master', ...connected];
  const status = replication.isCopied ? 'up' : 'down';
  return [
    'role:slave',
    `master_host:${master.host}`,
    `master_port:${master.port}`,
    `master_link_status:${status}`,
    ...connected,
  ];
}
