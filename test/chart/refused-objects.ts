const KEDA = { enabled: true, prometheus: { serverAddress: 'http://p' } };
const BARE = 'in lowercase, without a scheme, a port or a path';
const PATHS = [{ path: '/', pathType: 'Prefix' }];
const LABEL = 'is not a valid label value; write at most 63 letters and digits, with - _ . between them';

/** Values of which Kubernetes would refuse what is made, or drop a part: and what is said of them. */
export const REFUSED_OF_KUBERNETES: readonly (readonly [string, object, string])[] = [
  [
    'a name that a Service cannot have',
    // As long as that it is cut behind the first of two dashes.
    { fullnameOverride: `${'a'.repeat(38)}--b` },
    `fullnameOverride: from the release's name, objects would be named ${'a'.repeat(38)}-, which is not a valid name of a Service (lowercase letters, digits and -, starting with a letter); give a name here`,
  ],
  [
    'an image with its tag',
    { image: { repository: 'registry:5000/crosspod:1.2' } },
    'image.repository: contains a tag, a digest or a login; give the tag as image.tag, the digest as image.digest, and the login by imagePullSecrets',
  ],
  [
    'an image of Redis with its digest',
    { redis: { image: { repository: 'redis@sha256:1' } } },
    'redis.image.repository: contains a tag, a digest or a login; give the tag as redis.image.tag, the digest as redis.image.digest, and the login by imagePullSecrets',
  ],
  [
    'memory that is neither requested nor limited',
    { resources: { memory: '1Gi' } },
    'resources.memory: write it under requests or limits',
  ],
  [
    'memory in units of another kind',
    { redis: { resources: { limits: { memory: '512MB' } } } },
    'redis.resources.limits.memory: 512MB is not a quantity; write for example 512Mi or 1Gi of memory, 500m or 2 of CPU',
  ],
  [
    'less memory than is requested by default',
    { resources: { limits: { memory: '128Mi' } } },
    'resources.requests.memory: 256Mi is more than its limit (128Mi); lower it, or raise the limit',
  ],
  [
    'less CPU than is requested',
    { resources: { requests: { cpu: 0.3 }, limits: { cpu: '299m' } } },
    'resources.requests.cpu: 0.3 is more than its limit (299m)',
  ],
  [
    'less memory for a Sentinel than it requests',
    { redis: { sentinel: { resources: { requests: { memory: '1G' } } } } },
    'redis.sentinel.resources.requests.memory: 1G is more than its limit (64Mi)',
  ],
  [
    'a rolling update in which nobody may come or go',
    { updateStrategy: { rollingUpdate: { maxSurge: '0%' } } },
    'updateStrategy.rollingUpdate: maxSurge and maxUnavailable are both 0, so no pod could ever be replaced; raise one of them',
  ],
  [
    'a number of pods that is a text',
    { updateStrategy: { rollingUpdate: { maxSurge: '1' } } },
    'updateStrategy.rollingUpdate.maxSurge: 1 is neither a number nor a percentage; write 1 without quotes, or 25%',
  ],
  [
    'an address where a range is meant',
    { service: { type: 'LoadBalancer', loadBalancerSourceRanges: ['10.0.0.0'] } },
    'service.loadBalancerSourceRanges: 10.0.0.0 is not an address range; write 10.0.0.0/8, or 10.0.0.1/32 for a single address',
  ],
  [
    'what is of containers, with the pods',
    { podSecurityContext: { readOnlyRootFilesystem: true } },
    'podSecurityContext.readOnlyRootFilesystem: this field belongs to containers; write it under securityContext',
  ],
  [
    'what is of pods, with the containers of Redis',
    { redis: { securityContext: { fsGroup: 1 } } },
    'redis.securityContext.fsGroup: this field belongs to pods; write it under redis.podSecurityContext',
  ],
  [
    'a label that says too much',
    { commonLabels: { team: 'a b' } },
    `commonLabels: the value of team ${LABEL}`,
  ],
  [
    'a label of an object of one’s Prometheus',
    { monitoring: { podMonitor: { labels: { release: 'x'.repeat(64) } } } },
    `monitoring.podMonitor.labels: the value of release ${LABEL}`,
  ],
  [
    'a label without a name',
    { redis: { podLabels: { 'a/b/c': 'x' } } },
    'redis.podLabels: a/b/c is not a valid label name; write at most 63 letters and digits, with - _ . between them',
  ],
  ...Object.entries({
    'ingress.hosts': { ingress: { hosts: [{ host: 'https://chat.example.com', paths: PATHS }] } },
    'ingress.tls': { ingress: { tls: [{ hosts: ['https://chat.example.com'] }] } },
    'httpRoute.hostnames': { httpRoute: { hostnames: ['https://chat.example.com'] } },
    'httpApi.httpRoute.hostnames': { httpApi: { httpRoute: { hostnames: ['https://chat.example.com'] } } },
  }).map(
    ([path, values]) =>
      [
        `an address where a host is meant, in ${path}`,
        values,
        `${path}: https://chat.example.com is not a host; write chat.example.com or *.example.com, ${BARE}`,
      ] as const,
  ),
  [
    'a host with its port',
    { ingress: { hosts: [{ host: 'chat.example.com:8443', paths: PATHS }] } },
    `ingress.hosts: chat.example.com:8443 is not a host`,
  ],
  [
    'a peer that is none',
    { networkPolicy: { enabled: true, clients: [{ namespace: 'ingress' }] } },
    'networkPolicy.clients: every item must be {namespaceSelector: …}, {podSelector: …} or {ipBlock: …}, as in a NetworkPolicy',
  ],
  [
    'a peer of nothing',
    { networkPolicy: { enabled: true, operators: [{}] } },
    'networkPolicy.operators: every item must be {namespaceSelector: …}, {podSelector: …} or {ipBlock: …}',
  ],
  [
    'a way out that would be one to everywhere',
    { networkPolicy: { enabled: true, extraEgress: [{ ipBlock: { cidr: '10.0.0.0/8' } }] } },
    'networkPolicy.extraEgress: every item must be {to: […], ports: […]}, as in a NetworkPolicy',
  ],
  [
    'a mount of no volume',
    { extraVolumeMounts: [{ name: 'jwks', mountPath: '/jwks' }] },
    'extraVolumeMounts: unknown volume jwks; give it in extraVolumes',
  ],
  [
    'a variable that holds a number',
    { extraEnv: [{ name: 'A', value: 1 }] },
    'extraEnv: the value of A is not a string; put it in quotes',
  ],
  [
    'a variable with two values',
    { extraEnv: [{ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }] },
    'extraEnv: A has both value and valueFrom; give only one',
  ],
  ...[{ from: 'x' }, { valueFrom: { secretRef: { name: 'x' } } }].map(
    (rest) =>
      [
        `a variable with ${JSON.stringify(rest)}`,
        { extraEnv: [{ name: 'A', ...rest }] },
        'extraEnv: A may only have a value, or a valueFrom with secretKeyRef, configMapKeyRef, fieldRef or resourceFieldRef',
      ] as const,
  ),
  [
    'a variable with its value in its name',
    { extraEnv: [{ name: 'PASSWORD=hunter2-the-password', value: '' }] },
    "extraEnv: an item's name is not a valid variable name; write letters, digits and _ as the name, and the content as its value",
  ],
  [
    'a metric that is a percentage of no request',
    {
      resources: { requests: { memory: null }, limits: { memory: null } },
      autoscaling: {
        enabled: true,
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: 80 } },
          },
        ],
      },
    },
    'autoscaling.metrics: an item is a percentage of resources.requests.memory, which is empty; set that request',
  ],
  [
    'a trigger that is a percentage of no request',
    { resources: { requests: { cpu: null } }, keda: { ...KEDA, triggers: [{ type: 'cpu' }] } },
    'keda.triggers: an item is a percentage of resources.requests.cpu, which is empty; set that request',
  ],
  [
    'a trigger that says a number',
    { keda: { ...KEDA, triggers: [{ type: 'cron', metadata: { desiredReplicas: 5 } }] } },
    'keda.triggers: the value of desiredReplicas is not a string; put it in quotes',
  ],
];
