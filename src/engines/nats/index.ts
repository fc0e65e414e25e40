import { NatsDenylist } from './denylist.ts';
import { NatsGrants } from './grants.ts';
import { NatsBackbone, type NatsBackboneOptions } from './connection/backbone.ts';
import { NatsBroker, type NatsBrokerOptions } from './broker.ts';
import { NatsDirectory } from './directory.ts';
import { NatsPresence } from './presence.ts';

export interface NatsEngineOptions extends NatsBackboneOptions, Omit<NatsBrokerOptions, 'backbone'> {}

export interface NatsEngine {
  readonly broker: NatsBroker;
  readonly store: NatsPresence;
  readonly directory: NatsDirectory;
  readonly grants: NatsGrants;
  readonly denylist: NatsDenylist;
  /** For metrics of the connection. */
  readonly backbone: NatsBackbone;
}

/** Composes the parts that pods share through NATS. Nothing connects before `broker.start`. */
export function natsEngine(options: NatsEngineOptions): NatsEngine {
  const backbone = new NatsBackbone(options);
  // The order matters: when the pod's lease has another name, presence is written before the directory.
  const broker = new NatsBroker({ ...options, backbone });
  const store = new NatsPresence({ backbone, isSubscribed: (room) => broker.isSubscribed(room) });
  const grants = new NatsGrants(backbone);
  const denylist = new NatsDenylist(backbone);
  const directory = new NatsDirectory(backbone);
  return { broker, store, directory, grants, denylist, backbone };
}
