import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { writeFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { open } from '../support/client.ts';
import { keyPair, SECRET } from '../support/tokens.ts';
import { CHART, find, render, settingsOf } from './helm.ts';
import { deployed, labels } from './deployments.ts';
import { loadConfig } from '../../src/config.ts';
import { type Pod, startPod } from '../support/pod.ts';

/** For `expect.poll`. */
const PATIENT = { timeout: 10_000 };
const PROGRAM = join(CHART, 'files/test.mjs');
const ends: (() => unknown)[] = [];

interface Outcome {
  readonly code: number;
  readonly output: string;
}

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** Runs what `helm test` runs, with the variables of its pod. */
function run(env: Record<string, string>): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--input-type=module', '--eval', readFileSync(PROGRAM, 'utf8')],
      { env },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), output: (stdout + stderr).trim() }),
    );
  });
}

async function pod(env: Record<string, string> = {}): Promise<Pod> {
  const started = await startPod(env);
  ends.push(() => started.stop('SIGKILL'));
  return started;
}

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'crosspod-helm-test-'));
  ends.push(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** As a Service does: each connection to the pod that is next. */
async function serviceOf(next: () => Pod | undefined): Promise<string> {
  const server = createServer((near) => {
    const port = next()?.ports.PORT;
    if (port === undefined) {
      near.destroy();
      return;
    }
    const far = connect(Number(port));
    near.pipe(far).pipe(near);
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
  });
  ends.push(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The variables of the pod of `helm test` with these values, its URL being that of the pod here. */
async function variables(values: object, url: string): Promise<Record<string, string>> {
  const objects = await render({ ...values, replicaCount: 1, redis: { enabled: false } });
  const { env } = find(objects, 'Pod', 'r-crosspod-test')['spec'].containers[0];
  const secret = objects.find(({ kind }) => kind === 'Secret')?.['stringData'] ?? {};
  const pairs = (env as { name: string; value?: string }[]).map(({ name, value }) => [
    name,
    value ?? secret[name],
  ]);
  return { ...Object.fromEntries(pairs), URL: url };
}

/** What the gateway is given in the open with these values. */
async function gatewayOf(values: object): Promise<Record<string, string>> {
  return settingsOf(await render({ ...values, replicaCount: 1, redis: { enabled: false } }));
}

const MESSAGE = 'a message published over HTTP arrived over a WebSocket';
const DELIVERED = { code: 0, output: MESSAGE };
const GUARDED = { code: 0, output: `requests without a token or key are refused\n${MESSAGE}` };
const REFUSED = {
  code: 0,
  output:
    'requests without a token or key are refused\nwithout JWT_SECRET the test cannot make a token; messages are not tested',
};

interface Given {
  readonly settings?: Record<string, string>;
  readonly secrets?: Record<string, string>;
  readonly authentication?: { readonly enabled: boolean };
}

test.each<[string, Given, Outcome]>([
  ['as it is by default', {}, DELIVERED],
  ['with a secret for tokens', { secrets: { JWT_SECRET: SECRET } }, GUARDED],
  ['with API keys alone', { secrets: { API_KEYS: 'one,two' }, authentication: { enabled: false } }, GUARDED],
  ['with both', { secrets: { JWT_SECRET: SECRET, API_KEYS: 'one' } }, GUARDED],
  [
    'that lets anybody in all the same',
    { settings: { AUTH_ENABLED: 'false' }, secrets: { JWT_SECRET: SECRET } },
    DELIVERED,
  ],
  [
    'that looks closely at tokens',
    {
      settings: {
        JWT_ISSUER: 'us',
        JWT_AUDIENCE: 'them',
        JWT_PERMISSIONS_CLAIM: 'may',
        JWT_USER_CLAIM: 'who',
      },
      secrets: { JWT_SECRET: SECRET },
    },
    GUARDED,
  ],
  ['with paths of its own', { settings: { WS_PATHS: '/live,/ws' } }, DELIVERED],
  ['for some pages only', { settings: { ALLOWED_ORIGINS: 'https://app.example.com' } }, DELIVERED],
])('helm test succeeds against a pod %s', async (_, values, outcome) => {
  const { url } = await pod({ ...(await gatewayOf(values)), ...values.secrets });
  expect(await run(await variables(values, url))).toEqual(outcome);
});

test('a pod that was told of keys and finds none, or an empty one, does not start', async () => {
  const secrets = { existingSecret: 'mine' };
  const given = await gatewayOf({ secrets });
  expect(given).toMatchObject({ AUTH_ENABLED: 'true' });
  for (const found of [{}, { JWT_SECRET: '' }, { API_KEYS: 'k' }])
    expect(() => loadConfig({ ...given, ...found })).toThrow('AUTH_ENABLED: "true" is not valid');
});

test('helm test cannot make a token for keys that it has not; it must be refused without one', async () => {
  const JWKS_FILE = join(temporary(), 'jwks.json');
  writeFileSync(JWKS_FILE, JSON.stringify({ keys: [(await keyPair('ES256', 'k')).jwk] }));
  const { url } = await pod({ JWKS_FILE });
  expect(await run(await variables({ settings: { JWKS_FILE } }, url))).toEqual(REFUSED);
});

test('helm test fails where a token should be needed and is not', async () => {
  const { url } = await pod();
  expect(await run({ URL: url, AUTHENTICATED: 'true' })).toEqual({
    code: 1,
    output: 'a client without a token got 200 instead of 401',
  });
});

test('helm test fails where the API should be closed and is not', async () => {
  const { url } = await pod();
  expect(await run({ URL: url, API_GUARDED: 'true', API_KEYS: 'k' })).toEqual({
    code: 1,
    output: 'the HTTP API answered 200 instead of 401 to a request without a key',
  });
});

test('helm test fails where one pod of two lets strangers in', async () => {
  const [closed, open] = await Promise.all([pod({ JWT_SECRET: SECRET }), pod()]);
  let connections = 0;
  const url = await serviceOf(() => (connections++ % 4 === 3 ? open : closed));
  const variables = { URL: url, AUTHENTICATED: 'true', API_GUARDED: 'true', JWT_SECRET: SECRET };
  expect(await run(variables)).toMatchObject({
    code: 1,
    output: expect.stringMatching(/200 instead of 401/),
  });
});

test('helm test fails where the secret is another one, and says how that comes', async () => {
  const { url } = await pod({ JWT_SECRET: SECRET });
  const wrong = await run({ URL: url, AUTHENTICATED: 'true', JWT_SECRET: 'another' });
  expect(wrong).toMatchObject({
    code: 1,
    output: expect.stringMatching(
      /^requests without a token or key are refused\nthe WebSocket was refused with 401: .*invalid_token[^]*rollout restart/,
    ),
  });
});

test('helm test fails where the API key is another one', async () => {
  const { url } = await pod({ API_KEYS: 'one' });
  const { code, output } = await run({ URL: url, API_KEYS: 'another' });
  expect(code).toBe(1);
  expect(output).toMatch(/^publishing failed with 401: /);
});

test('helm test fails where nobody listens, though not before its deadline', async () => {
  const stopped = await pod();
  await stopped.stop('SIGKILL');
  const answer = await run({ URL: stopped.url, DEADLINE_SECONDS: '1' });
  expect(answer).toEqual({
    code: 1,
    output: 'the test did not finish within 1 s; last failure: ECONNREFUSED',
  });
});

test('helm test waits for pods that are not up yet', async () => {
  let far: Pod | undefined;
  let tries = 0;
  const url = await serviceOf(() => {
    tries += 1;
    return far;
  });
  const outcome = run({ URL: url });
  await expect.poll(() => tries, PATIENT).toBeGreaterThan(1);
  far = await pod();
  expect(await outcome).toEqual(DELIVERED);
});

test('helm test waits for a place where pods are full', async () => {
  const full = await pod({ MAX_CONNECTIONS: '1' });
  await open(full, '/ws/elsewhere');
  let far = full;
  let tries = 0;
  const url = await serviceOf(() => {
    tries += 1;
    return far;
  });
  const outcome = run({ URL: url });
  await expect.poll(() => tries, PATIENT).toBeGreaterThan(1);
  far = await pod();
  expect(await outcome).toEqual(DELIVERED);
});

test('helm test fails where nobody answers', async () => {
  const frozen = await pod();
  frozen.freeze();
  const answer = await run({ URL: frozen.url, DEADLINE_SECONDS: '1' });
  expect(answer).toEqual({ code: 1, output: 'the test did not finish within 1 s' });
});

test('helm test fails where pods do not tell each other what is published', async () => {
  const [one, other] = await Promise.all([pod(), pod()]);
  let connections = 0;
  const url = await serviceOf(() => [one, other][connections++ % 2]);
  expect(await run({ URL: url, DEADLINE_SECONDS: '1' })).toEqual({
    code: 1,
    output: 'the test did not finish within 1 s',
  });
});

test('the pod of helm test may not do more than others, and has no secret but by reference', async () => {
  const objects = await deployed('haproxy');
  const { metadata, spec } = find(objects, 'Pod', 'r-crosspod-test');
  const hook = {
    'helm.sh/hook': 'test',
    'helm.sh/hook-delete-policy': 'before-hook-creation,hook-succeeded',
  };
  expect(metadata).toEqual({
    name: 'r-crosspod-test',
    namespace: 'n',
    labels: labels('test'),
    annotations: hook,
  });
  const gateway = find(objects, 'Deployment', 'r-crosspod')['spec'].template.spec;
  const reference = (key: string): object => ({
    name: key,
    valueFrom: { secretKeyRef: { name: 'r-crosspod', key } },
  });
  expect(spec).toEqual({
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: gateway.securityContext,
    containers: [
      {
        name: 'test',
        image: gateway.containers[0].image,
        imagePullPolicy: 'IfNotPresent',
        command: ['node', '--input-type=module', '--eval', readFileSync(PROGRAM, 'utf8')],
        securityContext: gateway.containers[0].securityContext,
        env: [
          { name: 'URL', value: 'http://r-crosspod:80' },
          { name: 'WS_PATH', value: '/ws' },
          { name: 'AUTHENTICATED', value: 'true' },
          { name: 'API_GUARDED', value: 'true' },
          reference('JWT_SECRET'),
          reference('API_KEYS'),
        ],
        resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '128Mi' } },
      },
    ],
  });
});

test('the pod of helm test goes where the others go, and follows the port of the Service', async () => {
  const { nodeSelector, tolerations } = find(await deployed('hooks-module'), 'Pod', 'r-crosspod-test')[
    'spec'
  ];
  expect(nodeSelector).toEqual({ 'kubernetes.io/arch': 'amd64' });
  expect(tolerations).toEqual([{ key: 'realtime', operator: 'Exists' }]);
  const { containers } = find(await deployed('node-port'), 'Pod', 'r-crosspod-test')['spec'];
  expect(containers[0].env[0]).toEqual({ name: 'URL', value: 'http://r-crosspod:8080' });
  const production = find(await deployed('production-traefik'), 'Pod', 'r-crosspod-test')['spec'];
  expect(production.imagePullSecrets).toEqual([{ name: 'registry' }]);
});

test('it also connects through the ingress where its address is given, and publishes through the Service', async () => {
  const pod = find(await render({ tests: { url: 'https://ws.example.com' } }), 'Pod', 'r-crosspod-test');
  const addresses = pod['spec'].containers.map(
    ({ name, env }: { name: string; env: { name: string; value: string }[] }) => [
      name,
      ...['URL', 'API_URL'].map((wanted) => env.find((one) => one.name === wanted)?.value),
    ],
  );
  expect(addresses).toEqual([
    ['test', 'http://r-crosspod:80', undefined],
    ['test-ingress', 'https://ws.example.com', 'http://r-crosspod:80'],
  ]);
});
