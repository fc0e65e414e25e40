const NO_REDIS = { redis: { enabled: false } };
const CHART_REDIS =
  'externalRedis: cannot be used while redis.enabled is true; set redis.enabled=false to use your own Redis';
const NOWHERE =
  'externalRedis: has a login or TLS, but no address; give url, urlKey, sentinels or cluster, or leave it out';
const NO_SENTINELS =
  'externalRedis.sentinelPassword, sentinelPasswordKey: only for Sentinels; give externalRedis.sentinels, or leave them out';
const NO_NATS = 'externalNats: has a login or TLS, but no address; give servers or urlKey, or leave it out';
const NO_NODE_PORT =
  'service.nodePort, externalTrafficPolicy: only for type NodePort or LoadBalancer; set service.type, or leave them out';
const NO_BALANCER =
  'service.loadBalancerClass, loadBalancerSourceRanges: only for type LoadBalancer; set service.type, or leave them out';

/** Values that somebody gives and counts on, and that would have no effect: and what is said of them. */
export const REFUSED_WITHOUT_EFFECT: readonly (readonly [string, object, string])[] = [
  ['a Secret for a Redis, beside the chart’s', { externalRedis: { existingSecret: 'mine' } }, CHART_REDIS],
  ['a user of a Redis, beside the chart’s', { externalRedis: { username: 'u' } }, CHART_REDIS],
  ['TLS to a Redis, beside the chart’s', { externalRedis: { tls: { enabled: true } } }, CHART_REDIS],
  [
    'one pod with a Secret for a Redis that is nowhere',
    { ...NO_REDIS, replicaCount: 1, externalRedis: { existingSecret: 'mine' } },
    NOWHERE,
  ],
  [
    'one pod with a database of no Redis',
    { ...NO_REDIS, replicaCount: 1, externalRedis: { db: 0 } },
    NOWHERE,
  ],
  [
    'a login to Redis beside NATS',
    { ...NO_REDIS, externalRedis: { username: 'u' }, externalNats: { servers: ['nats://n:4222'] } },
    NOWHERE,
  ],
  [
    'a password of Sentinels that are none',
    { ...NO_REDIS, externalRedis: { url: 'redis://r:6379', sentinelPassword: 'p' } },
    NO_SENTINELS,
  ],
  [
    'the same in a Secret, of a Cluster',
    { ...NO_REDIS, externalRedis: { cluster: ['c:1'], existingSecret: 'mine', sentinelPasswordKey: 'p' } },
    NO_SENTINELS,
  ],
  [
    'one pod with credentials for a NATS that is nowhere',
    { ...NO_REDIS, replicaCount: 1, externalNats: { existingSecret: 'mine', credentialsKey: 'creds' } },
    NO_NATS,
  ],
  [
    'credentials for NATS beside the chart’s Redis',
    { externalNats: { existingSecret: 'mine', credentialsKey: 'creds' } },
    'externalNats: cannot be used while redis.enabled is true; set redis.enabled=false to use NATS',
  ],
  ['a port of nodes for a Service inside', { service: { nodePort: 30_080 } }, NO_NODE_PORT],
  ['a policy for nobody’s traffic', { service: { externalTrafficPolicy: 'Local' } }, NO_NODE_PORT],
  [
    'addresses that may connect, and nothing that would look',
    { service: { type: 'NodePort', loadBalancerSourceRanges: ['10.0.0.0/8'] } },
    NO_BALANCER,
  ],
  ['a class of no balancer', { service: { loadBalancerClass: 'nlb' } }, NO_BALANCER],
  [
    'a role for an account of somebody else',
    { serviceAccount: { create: false, name: 'mine', annotations: { role: 'r' } } },
    'serviceAccount.annotations: only for an account that the chart creates; annotate your own account, or set serviceAccount.create=true',
  ],
  [
    'objects of Traefik for another controller',
    { ingress: { enabled: true, preset: 'haproxy', traefikObjects: true } },
    'ingress.traefikObjects: only for Traefik; set ingress.preset=traefik, or leave it out',
  ],
];
