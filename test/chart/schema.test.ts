import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { DEPLOYMENTS, selector, valuesFor } from './deployments.ts';
import { template } from './helm.ts';
import { isObject, type Path, placesOf, type Schema, SCHEMA, valueAt, VALUES } from './schema.ts';
import { SETTINGS } from '../../src/settings.ts';

const validate = new Ajv({ strict: false, allErrors: true }).compile(SCHEMA);
const places = [...placesOf(SCHEMA)].map(({ path, schema }) => ({ path, schema, name: path.join('.') }));

/** Whether the schema finds fault with the value there, or with what is in it; not with what is missing beside it. */
function refuses(path: Path, value: unknown): boolean {
  validate(valueAt(path, value));
  const place = path.map((name) => `/${name}`).join('');
  return (validate.errors ?? []).some(({ instancePath }) => instancePath.startsWith(place));
}

/** Of values that should all be refused those that are not, with their places. */
function taken(wrong: readonly (readonly [path: Path, value: unknown])[]): string[] {
  expect(wrong.length).toBeGreaterThan(0);
  return wrong
    .filter(([path, value]) => !refuses(path, value))
    .map(([path, value]) => `${path.join('.')}: ${JSON.stringify(value)}`);
}

/** Settings that are not among `settings`, and why. */
const MANAGED: Readonly<Record<string, string>> = {
  PORT: 'the Services and probes count on it',
  SERVER_ADDR: 'another name of PORT and HOST',
  OPS_PORT: 'the probes and monitors count on it',
  BROADCAST_MQ_TYPE: 'follows from redis, externalRedis and externalNats',
  REDIS_URL: 'externalRedis.url',
  REDIS_ADDR: 'another name of REDIS_URL',
  REDIS_USERNAME: 'externalRedis.username, or the user that redis makes',
  REDIS_PASSWORD: 'a secret',
  REDIS_DB: 'externalRedis.db',
  REDIS_SENTINELS: 'externalRedis.sentinels, or those that redis makes',
  REDIS_SENTINEL_MASTER: 'externalRedis.sentinelMaster or redis.sentinel.masterName',
  REDIS_SENTINEL_PASSWORD: 'a secret',
  REDIS_CLUSTER: 'externalRedis.cluster',
  REDIS_TLS: 'redis.tls.enabled or externalRedis.tls.enabled',
  REDIS_CA_FILE: 'redis.tls.existingSecret or externalRedis.tls.existingSecret',
  NATS_URL: 'externalNats.servers or externalNats.urlKey',
  NATS_CREDENTIALS: 'externalNats.credentialsKey',
  NATS_CA_FILE: 'externalNats.tls.existingSecret',
  NATS_REPLICAS: 'externalNats.replicas',
  NATS_PREFIX: 'externalNats.prefix',
  JWT_SECRET: 'a secret',
  JWT_SECRET_PREVIOUS: 'a secret',
  API_KEYS: 'a secret',
  WEBHOOK_SECRET: 'a secret',
  BACKEND_SECRET: 'a secret',
  DRAIN_DELAY_SECONDS: 'drain.delaySeconds',
  DRAIN_WINDOW_SECONDS: 'drain.windowSeconds',
  SHUTDOWN_TIMEOUT_SECONDS: 'drain.timeoutSeconds',
};

/** What the schema allows although values.yaml has no default for it. */
const WITHOUT_DEFAULT = [
  /^(global|enabled)$/,
  /^settings\../,
  /Probe\.(initialDelaySeconds|timeoutSeconds|successThreshold)$/,
  /^redis\.(sentinel\.)?resources\.claims$/,
];

/** What each pattern is there against. */
const MISSHAPEN: Readonly<Record<string, readonly string[]>> = {
  'image.tag': ['one two'],
  'image.digest': ['sha256:123', 'latest'],
  nameOverride: ['Chat', '1chat', 'chat-', 'chat.example', 'a_b'],
  fullnameOverride: ['Chat', '1chat', 'chat-', 'chat.example', 'a_b'],
  'publicPaths.0': ['ws', ''],
  'rooms.0.name': ['News', ''],
  'rooms.0.match': ['a b', '@global', '{user}{user}', ''],
  'ingress.hosts.0.paths.0.path': ['ws', ''],
  'ingress.cookie.name': ['a b', 'a;b', ''],
  'podDisruptionBudget.minAvailable': ['half', '50'],
  'podDisruptionBudget.maxUnavailable': ['half', '50'],
  'monitoring.serviceMonitor.interval': ['15', 'often'],
  'monitoring.podMonitor.interval': ['15', 'often'],
  'externalRedis.tls.existingSecret': ['My_Secret', '-a'],
  'externalRedis.tls.caKey': ['', 'a/b'],
  'externalNats.existingSecret': ['My_Secret', '-a'],
  'externalNats.tls.existingSecret': ['My_Secret', '-a'],
  'externalNats.tls.caKey': ['', 'a/b'],
  'externalNats.prefix': ['', 'a.b', 'a b', 'x'.repeat(65)],
  'tests.url': ['chat.example.com', 'wss://chat.example.com', 'https://chat.example.com/ws'],
  'redis.image.digest': ['sha256:123', 'latest'],
  'redis.auth.existingSecret': ['My_Secret', '-a'],
  'redis.tls.existingSecret': ['My_Secret', '-a'],
  'redis.sentinel.masterName': ['', 'my master'],
  'redis.maxmemory': ['much', '256 mb'],
  'redis.persistence.size': ['big', '1GB'],
};

/** Every place of values.yaml that the schema could speak of: what is in lists and free maps is not fixed. */
function* placesOfValues(value: unknown, schema: Schema | undefined, path: Path = []): Generator<string> {
  if (path.length > 0) yield path.join('.');
  if (!isObject(value) || schema?.properties === undefined) return;
  for (const [name, inner] of Object.entries(value))
    yield* placesOfValues(inner, schema.properties[name], [...path, name]);
}

describe('the schema and values.yaml', () => {
  test('name the same values', () => {
    const inValues = new Set(placesOfValues(VALUES, SCHEMA));
    const inSchema = new Set(places.filter(({ path }) => !path.includes(0)).map(({ name }) => name));
    inSchema.delete('');
    const only = [...inSchema].filter((name) => !inValues.has(name));
    expect([...inValues].filter((name) => !inSchema.has(name))).toEqual([]);
    expect(only.filter((name) => !WITHOUT_DEFAULT.some((pattern) => pattern.test(name)))).toEqual([]);
  });

  test('agree on what is right by default and in every deployment here', () => {
    expect(refuses([], VALUES)).toBe(false);
    expect(DEPLOYMENTS.filter((deployment) => refuses([], valuesFor(deployment) ?? {}))).toEqual([]);
  });

  test('leave to `settings` every setting that the chart does not manage itself', () => {
    const { settings } = SCHEMA.properties ?? {};
    const left = Object.entries(SETTINGS).filter(([name]) => !(name in MANAGED));
    expect(Object.keys(MANAGED).filter((name) => !(name in SETTINGS))).toEqual([]);
    const meanings = Object.entries(settings?.properties ?? {}).map(([name, { description }]) => [
      name,
      description,
    ]);
    expect(Object.fromEntries(meanings)).toEqual(
      Object.fromEntries(left.map(([name, { meaning }]) => [name, meaning])),
    );
  });

  test('leave to `secrets` every secret of the gateway that has nothing to do with Redis', () => {
    const secrets = Object.entries(SETTINGS)
      .filter(
        ([name, { kind }]) =>
          'secret' in kind && kind.allowed.includes('kept secret') && !name.startsWith('REDIS'),
      )
      .map(([name]) => name);
    const existing = ['existingSecret', 'existingSecretKeys', 'existingSecretKeyNames'];
    expect(Object.keys(VALUES['secrets'] as object).sort()).toEqual([...secrets, ...existing].sort());
    const { existingSecretKeys: list, existingSecretKeyNames: names } =
      SCHEMA.properties?.['secrets']?.properties ?? {};
    expect(list?.items?.enum?.toSorted()).toEqual(secrets.toSorted());
    expect(Object.keys(names?.properties ?? {}).toSorted()).toEqual(secrets.toSorted());
  });
});

describe('the schema refuses', () => {
  // A variable is as in a container: Kubernetes knows what may be in it.
  const closed = places.filter(
    ({ name, schema }) => schema.properties !== undefined && name !== 'extraEnv.0',
  );

  test.each(closed)('an unknown key in "$name"', ({ path }) => {
    expect(refuses(path, { unknownKey: 1 })).toBe(true);
    expect(validate.errors).toContainEqual(
      expect.objectContaining({ params: { additionalProperty: 'unknownKey' } }),
    );
  });

  test('anything of the wrong type, anywhere', () => {
    const samples = { object: {}, array: [], string: 'text', boolean: true, integer: 7, number: 0.5 };
    // An integer is a number.
    const namesOf = (name: string): string[] => (name === 'integer' ? [name, 'number'] : [name]);
    const wrong = places.flatMap(({ path, schema: { type = Object.keys(samples) } }) =>
      Object.entries(samples)
        .filter(([name]) => namesOf(name).every((one) => ![type].flat().includes(one)))
        .map(([, sample]) => [path, sample] as const),
    );
    expect(taken(wrong)).toEqual([]);
  });

  test('numbers and texts beyond the bounds, anywhere', () => {
    const wrong = places.flatMap(({ path, schema }) => beyond(schema).map((value) => [path, value] as const));
    expect(taken(wrong)).toEqual([]);
  });

  test('what does not look like what it is to be', () => {
    const patterned = places.filter(({ schema }) => schema.pattern !== undefined);
    expect(patterned.map(({ name }) => name).sort()).toEqual(Object.keys(MISSHAPEN).sort());
    const wrong = patterned.flatMap(({ path, name }) =>
      (MISSHAPEN[name] ?? []).map((sample) => [path, sample] as const),
    );
    expect(taken(wrong)).toEqual([]);
  });

  test('labels, annotations and lists of what they are not made of', () => {
    const maps = places.filter(({ schema }) => isObject(schema.additionalProperties));
    const items = places.filter(({ path }) => path.at(-1) === 0);
    expect(maps.length).toBeGreaterThan(10);
    const wrong = [
      ...maps.map(({ path }) => [path, { key: 1 }] as const),
      ...items.map(({ path }) => [path, 1] as const),
    ];
    expect(taken(wrong)).toEqual([]);
  });

  test('labels that would hide pods from those who look for them', () => {
    const maps: Path[] = [['commonLabels'], ['podLabels'], ['redis', 'podLabels']];
    const wrong = Object.keys(selector('gateway')).flatMap((name) =>
      maps.map((path) => [path, { [name]: 'x' }] as const),
    );
    expect(taken(wrong)).toEqual([]);
    expect(maps.filter((path) => refuses(path, { 'app.kubernetes.io/part-of': 'shop' }))).toEqual([]);
  });

  test('what has no name, no path or no paths although it needs them', () => {
    const needy = places.filter(({ schema }) => schema.required !== undefined).map(({ path }) => path);
    expect(needy).toHaveLength(9);
    expect(taken(needy.map((path) => [path, {}]))).toEqual([]);
  });
});

/** What is just too small, too large or not on the list. */
function beyond({ minimum, maximum, minLength, minItems, enum: choice }: Schema): unknown[] {
  return [
    minimum === undefined ? [] : [minimum - 1],
    maximum === undefined ? [] : [maximum + 1],
    minLength === undefined ? [] : [''],
    minItems === undefined ? [] : [[]],
    choice === undefined ? [] : ['unheard-of'],
  ].flat();
}

describe('Helm', () => {
  test.each<[string, object, string]>([
    ['an unknown value', { replicas: 3 }, "additional properties 'replicas' not allowed"],
    ['an unknown key further down', { drain: { window: 3 } }, "at '/drain': additional properties 'window'"],
    [
      'an unknown setting',
      { settings: { MAX_CONECTIONS: 1 } },
      "at '/settings': additional properties 'MAX_CONECTIONS'",
    ],
    [
      'a setting that the chart manages',
      { settings: { PORT: 1 } },
      "at '/settings': additional properties 'PORT'",
    ],
    ['a wrong type', { replicaCount: '2' }, "at '/replicaCount': got string, want integer"],
    [
      'what is not on the list',
      { ingress: { preset: 'nginx' } },
      "at '/ingress/preset': value must be one of",
    ],
    ['a wrong form', { externalNats: { prefix: 'a.b' } }, "at '/externalNats/prefix': 'a.b' does not match"],
    [
      'a prefix that would not stay as it is written',
      { settings: { REDIS_PREFIX: 1_000_000 } },
      "at '/settings/REDIS_PREFIX': got number, want null or string",
    ],
    ['too little', { keda: { minReplicas: 0 } }, "at '/keda/minReplicas': minimum: got 0, want 1"],
    [
      'an unknown key of Redis',
      { redis: { sentinel: { x: 1 } } },
      "at '/redis/sentinel': additional properties 'x'",
    ],
  ])('says where %s is', async (_, values, message) => {
    const { code, stderr } = await template(values);
    expect(code).not.toBe(0);
    expect(stderr).toContain(message);
  });

  test('takes what a parent chart asks for the condition of a dependency', async () => {
    const { code, stderr } = await template({ enabled: true });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('takes what a parent chart shares with all of its parts', async () => {
    const { code, stderr } = await template({ global: { storageClass: 'fast', deep: { er: [1] } } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

test('the schema needs nothing from elsewhere', () => {
  // Helm would fetch it while it installs.
  expect(JSON.stringify(SCHEMA)).not.toContain('"$ref"');
});
