const NO_REDIS = { redis: { enabled: false } };
const POLICY = { networkPolicy: { enabled: true } };
const PASSWORD = 'hunter2-the-password';

/** What is refused only where the cluster is asked; in-cluster.test.ts does. */
export const REFUSED_IN_CLUSTER = {
  noKey:
    'secrets.existingSecret: the Secret mine has no API_KEYS, or an empty one; add the key, or list in secrets.existingSecretKeys only keys that the Secret has (it has: EMPTY, JWT_SECRET)',
  sameName: 'fullnameOverride: the release r-crosspod already has a Service r-crosspod',
};

/** Values of the gateway that would let anybody in, or nobody, or be found wrong by a pod: and what is said of them. */
export const REFUSED_OF_GATEWAY: readonly (readonly [string, object, string])[] = [
  [
    'tokens that nothing can check',
    { authentication: { enabled: true } },
    'authentication.enabled: no key to check tokens with; give secrets.JWT_SECRET (or name it in secrets.existingSecretKeys), settings.JWKS_URL, settings.JWKS_FILE, or connect in settings.BACKEND_EVENTS, or set it to false if any client may connect without a token',
  ],
  [
    'rules and another file of rules',
    { rooms: [{ match: 'a' }], settings: { ROOMS_FILE: '/mine/rooms.yaml' } },
    'settings.ROOMS_FILE: the chart sets it to the file with the rules under rooms; leave out one of them',
  ],
  [
    'keys for the API, and no word of who may connect',
    { secrets: { API_KEYS: 'k' } },
    'authentication.enabled: no key to check tokens with',
  ],
  [
    'a Secret with keys for the API, and no word of who may connect',
    { secrets: { existingSecret: 'mine', existingSecretKeys: ['API_KEYS'] } },
    'authentication.enabled: no key to check tokens with',
  ],
  [
    'a Secret of which nothing is used',
    { secrets: { existingSecret: 'mine', existingSecretKeys: [] } },
    'secrets.existingSecretKeys: empty, so no key of secrets.existingSecret would be used; list the keys that it has',
  ],
  [
    'two words on who may connect',
    { authentication: { enabled: true }, secrets: { JWT_SECRET: 's' }, settings: { AUTH_ENABLED: 'False' } },
    'authentication.enabled: settings.AUTH_ENABLED says the opposite; remove that setting',
  ],
  [
    'a Redis URL and a key with one',
    { ...NO_REDIS, externalRedis: { url: 'redis://r:6379', existingSecret: 'mine', urlKey: 'url' } },
    'externalRedis: give only one of url, urlKey, sentinels and cluster',
  ],
  [
    'a Redis URL in no Secret',
    { ...NO_REDIS, externalRedis: { urlKey: 'url' } },
    'externalRedis.existingSecret: empty; name the Secret that has the key urlKey',
  ],
  [
    'a user beside a URL that names one',
    { ...NO_REDIS, externalRedis: { existingSecret: 'mine', urlKey: 'url', username: 'u' } },
    'externalRedis.urlKey: the URL holds address and login; remove username, password, sentinelPassword, sentinelPasswordKey and db',
  ],
  [
    'a login in the open',
    { ...NO_REDIS, externalRedis: { url: `redis://user:${PASSWORD}@redis:6379` } },
    'externalRedis.url: contains an @, so it may hold a login, which is a secret; give externalRedis.username and externalRedis.existingSecret, or put the whole URL in that Secret (externalRedis.urlKey)',
  ],
  [
    'what is no address of Redis',
    { ...NO_REDIS, externalRedis: { url: `http://${PASSWORD}` } },
    'externalRedis.url: the value is not an address; write redis://host:port, or rediss://host:port for TLS',
  ],
  ...['sentinels', 'cluster'].map(
    (name) =>
      [
        `what is no address among externalRedis.${name}`,
        { ...NO_REDIS, externalRedis: { [name]: ['a:1', `redis://user:${PASSWORD}@b:1`] } },
        `externalRedis.${name}: an item is not an address; write host:port, without a login`,
      ] as const,
  ),
  [
    'a login for NATS in the open',
    { ...NO_REDIS, externalNats: { servers: [`nats://user:${PASSWORD}@nats:4222`] } },
    'externalNats.servers: an item contains an @, so it may hold a login, which is a secret; put all servers with user and password in a Secret (externalNats.existingSecret and urlKey)',
  ],
  [
    'what is no address of NATS',
    { ...NO_REDIS, externalNats: { servers: [`nats://a,nats://${PASSWORD}`] } },
    'externalNats.servers: an item is not an address; write one nats://host:port or tls://host:port per item',
  ],
  [
    'a login for Prometheus in the open',
    { keda: { enabled: true, prometheus: { serverAddress: `http://user:${PASSWORD}@p` } } },
    'keda.prometheus.serverAddress: the value is not an address; write http://host:port, without a login (that belongs in keda.prometheus.authenticationRef)',
  ],
  ...['password', 'sentinelPassword', 'replicationPassword'].map(
    (name) =>
      [
        `a line break in redis.auth.${name}`,
        { redis: { auth: { [name]: `${PASSWORD}\n` } } },
        `redis.auth.${name}: contains a line break or another control character, which Redis cannot read`,
      ] as const,
  ),
  ...(
    [
      [
        { externalRedis: { existingSecret: 'mine', urlKey: `redis://u:${PASSWORD}@r` } },
        'externalRedis.urlKey',
      ],
      [{ externalRedis: { passwordKey: `${PASSWORD}!` } }, 'externalRedis.passwordKey'],
      [{ externalNats: { existingSecret: 'mine', urlKey: `nats://u:${PASSWORD}@n` } }, 'externalNats.urlKey'],
      [{ externalNats: { credentialsKey: `-----\n${PASSWORD}` } }, 'externalNats.credentialsKey'],
      [
        { secrets: { existingSecretKeyNames: { JWT_SECRET: `${PASSWORD}/` } } },
        'secrets.existingSecretKeyNames.JWT_SECRET',
      ],
    ] as const
  ).map(
    ([values, path]) =>
      [
        `what is to be behind a key of a Secret in its place, ${path}`,
        { ...NO_REDIS, ...values },
        `${path}: the value is not a key of a Secret; write the key's name (letters, digits and - _ .), not its content`,
      ] as const,
  ),
  ...['passwordKey', 'sentinelPasswordKey', 'replicationPasswordKey'].map(
    (name) =>
      [
        `a password in place of redis.auth.${name}`,
        { redis: { auth: { existingSecret: 'mine', [name]: `${PASSWORD}!` } } },
        `redis.auth.${name}: the value is not a key of a Secret`,
      ] as const,
  ),
  [
    'webhooks that nothing signs',
    { settings: { WEBHOOK_URL: 'https://a.example' }, secrets: { existingSecret: 'mine' } },
    'settings.WEBHOOK_URL: no key to sign webhooks with; give secrets.WEBHOOK_SECRET, or name it in secrets.existingSecretKeys',
  ],
  [
    'questions to a backend that nothing signs',
    {
      settings: { BACKEND_URL: 'https://a.example', BACKEND_EVENTS: 'join' },
      secrets: { existingSecret: 'mine' },
    },
    'settings.BACKEND_URL: no key to sign questions to the backend with; give secrets.BACKEND_SECRET, or name it in secrets.existingSecretKeys',
  ],
  [
    'the key before one that is not there',
    { secrets: { JWT_SECRET_PREVIOUS: 'p' } },
    'secrets.JWT_SECRET_PREVIOUS: no key that replaces it; give secrets.JWT_SECRET (or name it in secrets.existingSecretKeys), settings.JWKS_URL or settings.JWKS_FILE, or remove it',
  ],
  [
    'guests whose tokens nothing signs',
    { settings: { GUEST_LOGIN: true, JWKS_URL: 'https://a.example' } },
    'settings.GUEST_LOGIN: no key to sign guest tokens with; give secrets.JWT_SECRET, or name it in secrets.existingSecretKeys',
  ],
  [
    'a setting of no such value',
    { settings: { LOG_LEVEL: 'verbose' } },
    'settings.LOG_LEVEL: "verbose" is not valid; allowed: trace, debug, info, warn, error, fatal, silent',
  ],
  [
    'a setting that is too large',
    { settings: { HISTORY_SIZE: 10_001 } },
    'settings.HISTORY_SIZE: "10001" is not valid; allowed: a whole number from 0 to 10000',
  ],
  [
    'a setting that is too small',
    { settings: { POD_LEASE_SECONDS: '0' } },
    'settings.POD_LEASE_SECONDS: "0" is not valid; allowed: whole seconds from 1 to 3600',
  ],
  [
    'a setting that is no number',
    { settings: { MAX_CONNECTIONS: '10k' } },
    'settings.MAX_CONNECTIONS: "10k" is not valid; allowed: a whole number from',
  ],
  [
    'a setting that is neither true nor false',
    { settings: { AUTH_ENABLED: 'yes' } },
    'settings.AUTH_ENABLED: "yes" is not valid; allowed: true, false',
  ],
  [
    'a setting with what may be a login',
    { settings: { WEBHOOK_URL: `ftp://user:${PASSWORD}@example.com` } },
    'settings.WEBHOOK_URL: the value given is not valid; allowed: an http or https URL',
  ],
  [
    'an origin that is none',
    { settings: { ALLOWED_ORIGINS: 'https://a.example,app.example.com' } },
    'settings.ALLOWED_ORIGINS: "https://a.example,app.example.com" is not valid; allowed: *, or origins',
  ],
  [
    'a variable that is there twice',
    { extraEnv: [{ name: 'TZ', value: 'UTC' }, { name: 'A' }, { name: 'TZ', value: 'CET' }] },
    'extraEnv: TZ occurs twice, perhaps once in the chart itself; remove one, or change its name',
  ],
  [
    'a volume that the chart has',
    {
      redis: { tls: { enabled: true, existingSecret: 'tls' } },
      extraVolumes: [{ name: 'redis-ca', emptyDir: {} }],
    },
    'extraVolumes: redis-ca occurs twice, perhaps once in the chart itself',
  ],
  [
    'two mounts at one place',
    {
      extraVolumes: [{ name: 'a', emptyDir: {} }],
      extraVolumeMounts: [
        { name: 'a', mountPath: '/a' },
        { name: 'a', mountPath: '/a', subPath: 'b' },
      ],
    },
    'extraVolumeMounts: /a occurs twice',
  ],
  [
    'a Secret for images twice',
    { imagePullSecrets: [{ name: 'a' }, { name: 'a' }] },
    'imagePullSecrets: a occurs twice',
  ],
  ...(
    [
      ['PORT', 'service.port; pods listen on 8080'],
      ['OPS_PORT', 'opsService.port; pods listen on 9090'],
      ['SERVER_ADDR', 'service.port; pods listen on 8080'],
      ['API_KEYS', 'secrets.API_KEYS, or secrets.existingSecret with secrets.existingSecretKeys'],
      ['JWT_SECRET', 'secrets.JWT_SECRET, or secrets.existingSecret with secrets.existingSecretKeys'],
      ['AUTH_ENABLED', 'authentication.enabled'],
      ['REDIS_SENTINEL_PASSWORD', 'redis.auth.sentinelPassword or redis.auth.existingSecret'],
      ['REDIS_URL', 'redis, externalRedis or externalNats'],
      ['NATS_URL', 'externalNats.servers or externalNats.urlKey'],
      ['NATS_CREDENTIALS', 'externalNats'],
      ['DRAIN_WINDOW_SECONDS', 'drain.windowSeconds'],
      ['SHUTDOWN_TIMEOUT_SECONDS', 'drain.timeoutSeconds'],
      ['MAX_CONNECTIONS', 'settings.MAX_CONNECTIONS'],
      ['LOG_LEVEL', 'settings.LOG_LEVEL'],
    ] as const
  ).map(
    ([name, instead]) =>
      [
        `${name} past its value`,
        { extraEnv: [{ name: 'A' }, { name, value: '1' }] },
        `extraEnv: ${name} is a setting of the gateway, which is not checked here; use ${instead}`,
      ] as const,
  ),
  [
    'a password beside that of another Redis',
    {
      ...NO_REDIS,
      externalRedis: { url: 'redis://r:6379', password: 'p' },
      extraEnv: [{ name: 'REDIS_PASSWORD', value: 'p' }],
    },
    'extraEnv: REDIS_PASSWORD is a setting of the gateway, which is not checked here; use externalRedis.password or externalRedis.existingSecret',
  ],
  ...(
    [
      [{ ...NO_REDIS, externalRedis: { url: 'redis://r:6379' } }, 'externalRedis'],
      [{ ...NO_REDIS, externalRedis: { sentinels: ['s:1'] } }, 'externalRedis'],
      [{ ...NO_REDIS, externalRedis: { cluster: ['c:1'] } }, 'externalRedis'],
      [{ ...NO_REDIS, externalRedis: { existingSecret: 'mine', urlKey: 'url' } }, 'externalRedis'],
      [{ ...NO_REDIS, externalNats: { servers: ['nats://n'] } }, 'externalNats'],
      [{ ...NO_REDIS, externalNats: { existingSecret: 'mine', urlKey: 'url' } }, 'externalNats'],
      [{ settings: { JWKS_URL: 'https://a.example' } }, 'settings.JWKS_URL'],
      [
        { settings: { WEBHOOK_URL: 'https://a.example' }, secrets: { WEBHOOK_SECRET: 's' } },
        'settings.WEBHOOK_URL',
      ],
      [
        { extraEnv: [{ name: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: 'http://o' }] },
        'extraEnv OTEL_EXPORTER_OTLP_ENDPOINT',
      ],
    ] as const
  ).map(
    ([values, what]) =>
      [
        `a policy that leaves no way to ${what}, ${JSON.stringify(values)}`,
        { ...values, ...POLICY },
        `networkPolicy.extraEgress: empty, so pods could not reach the address in ${what}`,
      ] as const,
  ),
  ...(
    [
      [{ image: { repository: null } }, 'image.repository: empty; give it a value, or leave it out'],
      [{ redis: { auth: null } }, 'redis.auth: the group is empty; leave it out, or give it values'],
      [{ redis: { enabled: null } }, 'redis.enabled: empty; give it a value, or leave it out'],
      [
        { monitoring: { serviceMonitor: null } },
        'monitoring.serviceMonitor: the group is empty; leave it out, or give it values; after an upgrade with --reuse-values: use --reset-then-reuse-values',
      ],
    ] as const
  ).map(([values, message]) => [`nothing in ${JSON.stringify(values)}`, values, message] as const),
];

/** What must not be read where such values are refused. */
export const NOT_TO_BE_READ = PASSWORD;
