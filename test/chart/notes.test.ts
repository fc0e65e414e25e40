import { expect, test } from 'vitest';
import { notes } from './helm.ts';
import { valuesFor } from './deployments.ts';

const METRIC = '/apis/custom.metrics.k8s.io/v1beta1/namespaces/n/pods/*/realtime_connections_total';

test('by default the notes lead to the chat, the tests, the figures and the master, and warn', async () => {
  expect((await notes()).trim().split('\n')).toEqual([
    'Crosspod 0.1.0 is installed as r-crosspod in n.',
    '',
    'Wait until the pods are ready:',
    '  kubectl -n n rollout status deployment/r-crosspod',
    '',
    'Test it: publish a message over HTTP and receive it over a WebSocket.',
    '  helm test r -n n',
    '',
    'The chat page is at http://localhost:8080/ while this command runs:',
    '  kubectl -n n port-forward service/r-crosspod 8080:80',
    '',
    'Metrics of one pod (keep the first command running):',
    '  kubectl -n n port-forward deployment/r-crosspod 9090',
    '  curl http://localhost:9090/metrics',
    '',
    'Show the Redis master:',
    `  kubectl -n n exec r-crosspod-redis-0 -c sentinel -- sh -c 'REDISCLI_AUTH="$SENTINEL_PASSWORD" redis-cli -p 26379 sentinel get-master-addr-by-name mymaster'`,
    '',
    'WARNING: clients need no token and the HTTP API needs no key. Set secrets.JWT_SECRET or settings.JWKS_URL, and',
    'secrets.API_KEYS, before you expose the gateway.',
    '',
    'WARNING: web pages of any origin may connect. Set settings.ALLOWED_ORIGINS.',
  ]);
});

test('with an Ingress and an autoscaler the notes lead there, and have nothing to warn of', async () => {
  const text = await notes(valuesFor('production-traefik'));
  expect(text).toContain('  https://ws.example.com/\n');
  expect(text).toContain('  wss://ws.example.com/ws\n');
  expect(text).toContain(`kubectl get --raw "${METRIC}"`);
  expect(text).not.toMatch(/WARNING|port-forward service/);
});

test('an Ingress without TLS is not told of as if it had it', async () => {
  const settings = { WS_PATHS: '/live, /ws' };
  const text = await notes({
    ingress: { enabled: true, hosts: [{ host: 'a.example', paths: [{ path: '/', pathType: 'Prefix' }] }] },
    settings,
  });
  expect(text).toContain('  http://a.example/\n');
  expect(text).toContain('  ws://a.example/live\n');
});

test('an Ingress for any host cannot be told of; the pods can be reached all the same', async () => {
  expect(await notes(valuesFor('ingress-plain'))).toContain('port-forward service/r-crosspod 8080:80');
});

test('each host of an Ingress is told of for what it leads to', async () => {
  const text = await notes(valuesFor('haproxy'));
  expect(text).toContain('The chat page:\n  http://chat.example.com/\n');
  expect(text).toContain('WebSockets:\n  ws://ws.example.com/ws\n');
});

test.each([
  ['is a pattern', '*.x.example', '/', 'Prefix'],
  ['leads elsewhere', 'a.x.example', '/api', 'Prefix'],
  ['leads to the page alone', 'a.x.example', '/', 'Exact'],
])('a host that %s is not told as the address of the chat page', async (_, host, path, pathType) => {
  const text = await notes({ ingress: { enabled: true, hosts: [{ host, paths: [{ path, pathType }] }] } });
  expect(text).toContain('port-forward service/r-crosspod 8080:80');
  expect(text).not.toMatch(/https?:\/\/\S*x\.example/);
});

test('a path that leads to the WebSockets may be nothing but the beginning of theirs', async () => {
  const hosts = [
    { host: 'a.example', paths: [{ path: '/w', pathType: 'Prefix' }] },
    { host: 'b.example', paths: [{ path: '/ws/', pathType: 'Prefix' }] },
  ];
  const text = await notes({ ingress: { enabled: true, hosts } });
  expect(text).toContain('ws://b.example/ws\n');
  expect(text).not.toContain('a.example');
});

test('a load balancer is asked for its address', async () => {
  expect(await notes(valuesFor('load-balancer'))).toContain(
    `get service r-crosspod -o jsonpath='http://{.status.loadBalancer.ingress[0].ip}{.status.loadBalancer.ingress[0].hostname}:443/{"\\n"}'`,
  );
});

test.each(['external-redis', 'external-cluster', 'external-nats'])(
  'without the chart’s Redis the notes do not tell of its master: %s',
  async (deployment) => {
    expect(await notes(valuesFor(deployment))).not.toContain('master');
  },
);

test('Sentinels that speak TLS are asked over TLS', async () => {
  const text = await notes({ redis: { tls: { enabled: true, existingSecret: 'redis-tls' } } });
  expect(text).toContain('redis-cli --tls --cacert /tls/ca.crt -p 26379 sentinel');
});

test.each<[string, object, boolean]>([
  ['nothing is set', {}, true],
  ['there is a key for tokens', { secrets: { JWT_SECRET: 's' } }, false],
  ['there are keys at a URL', { settings: { JWKS_URL: 'https://a.example' } }, false],
  ['there are keys in a file', { settings: { JWKS_FILE: '/keys' } }, false],
  ['there are API keys', { secrets: { API_KEYS: 'k' }, authentication: { enabled: false } }, false],
  ['a Secret may hold keys', { secrets: { existingSecret: 'mine' } }, false],
  ['tokens are not asked for', { settings: { AUTH_ENABLED: 'False', JWKS_URL: 'https://a.example' } }, true],
  ['that is left open', { settings: { AUTH_ENABLED: null } }, true],
])('where %s, the warning of missing keys is given: %3$s', async (_, values, expected) => {
  expect((await notes(values)).includes('clients need no token')).toBe(expected);
});

test.each<[string, object, string]>([
  ['the usual ones', {}, 'API_KEYS and JWT_SECRET'],
  ['one', { existingSecretKeys: ['JWT_SECRET'] }, 'JWT_SECRET'],
  ['its own names', { existingSecretKeyNames: { API_KEYS: 'api' } }, 'JWT_SECRET and api'],
  ['one, the other being given here', { API_KEYS: 'k' }, 'JWT_SECRET'],
])('who names a Secret is told the keys that pods wait for: %s', async (_, more, keys) => {
  const text = await notes({ secrets: { existingSecret: 'mine', ...more } });
  expect(text).toContain(`Pods do not start until the Secret mine has ${keys}.`);
  expect(text).toContain('secrets.existingSecretKeys (version 0.1.0 used every key it found)');
  expect(text).toContain('kubectl -n n rollout restart deployment/r-crosspod');
});

test('who has keys is told that helm test looks for strangers', async () => {
  expect(await notes({ secrets: { JWT_SECRET: 's' } })).toContain(
    'and check that requests without a token or key are refused.\n',
  );
  expect(await notes()).not.toMatch(/without a token or key|Pods do not start/);
});

test.each(['ALLOWED_ORIGINS', 'CORS_ALLOWED_ORIGINS'])('who sets %s is not warned of pages', async (name) => {
  expect(await notes({ settings: { [name]: 'https://a.example' } })).not.toContain('any origin');
});
