import { expect, test } from 'vitest';
import { deployed, labels, selector } from './deployments.ts';
import { find, type KubernetesObject, render } from './helm.ts';

async function ingress(deployment: string): Promise<KubernetesObject> {
  return find(await deployed(deployment), 'Ingress', 'r-crosspod');
}

function rule(host: string | undefined, ...paths: readonly string[]): object {
  const backend = { service: { name: 'r-crosspod', port: { name: 'http' } } };
  const http = { paths: paths.map((path) => ({ path, pathType: 'Prefix', backend })) };
  return host === undefined ? { http } : { host, http };
}

const TLS = [{ secretName: 'ws-example-com', hosts: ['ws.example.com'] }];

test('Traefik needs nothing on the Ingress itself', async () => {
  const { apiVersion, metadata, spec } = await ingress('production-traefik');
  expect(apiVersion).toBe('networking.k8s.io/v1');
  expect(metadata).toEqual({
    name: 'r-crosspod',
    namespace: 'n',
    labels: { ...labels('gateway'), team: 'realtime' },
  });
  expect(spec).toEqual({ ingressClassName: 'traefik', tls: TLS, rules: [rule('ws.example.com', '/')] });
});

test('Traefik gives up a pod that does not answer, and asks another, where its own objects may be used', async () => {
  const values = { ingress: { enabled: true, preset: 'traefik', traefikObjects: true } };
  const objects = await render(values);
  expect(find(objects, 'Middleware', 'r-crosspod')['spec']).toEqual({
    retry: { attempts: 3, initialInterval: '100ms' },
  });
  expect(find(objects, 'ServersTransport', 'r-crosspod')['spec']).toEqual({
    forwardingTimeouts: { dialTimeout: '2s' },
  });
  const name = 'n-r-crosspod@kubernetescrd';
  expect(find(objects, 'Ingress', 'r-crosspod').metadata.annotations).toEqual({
    'traefik.ingress.kubernetes.io/router.middlewares': name,
  });
  expect(find(objects, 'Service', 'r-crosspod').metadata.annotations).toMatchObject({
    'traefik.ingress.kubernetes.io/service.serverstransport': name,
  });
});

test('HAProxy keeps a client on its pod; what is given wins', async () => {
  const { metadata, spec } = await ingress('haproxy');
  expect(metadata.annotations).toEqual({
    'haproxy.org/cookie-persistence': 'crosspod',
    'haproxy.org/load-balance': 'first',
    'haproxy.org/check': 'true',
    'haproxy.org/check-interval': '1s',
  });
  expect(spec).toEqual({
    ingressClassName: 'haproxy',
    rules: [rule('ws.example.com', '/ws', '/api'), rule('chat.example.com', '/')],
  });
});

test('the NGINX of F5 is told of the cookie and of WebSockets', async () => {
  const { metadata, spec } = await ingress('nginx-f5');
  expect(metadata.annotations).toEqual({
    'nginx.org/sticky-cookie-services': 'serviceName=r-crosspod pod expires=3600s path=/',
    'nginx.org/websocket-services': 'r-crosspod',
    'nginx.org/lb-method': 'least_conn',
    'nginx.org/proxy-connect-timeout': '2s',
    'nginx.org/proxy-read-timeout': '3600s',
    'nginx.org/proxy-send-timeout': '3600s',
  });
  expect(spec).toEqual({ ingressClassName: 'nginx', rules: [rule('ws.example.com', '/')] });
});

test('ingress-nginx is told of the cookie, and what is given comes besides', async () => {
  const { metadata, spec } = await ingress('ingress-nginx');
  const nginx = 'nginx.ingress.kubernetes.io';
  expect(metadata.annotations).toEqual({
    'cert-manager.io/cluster-issuer': 'letsencrypt',
    [`${nginx}/affinity`]: 'cookie',
    [`${nginx}/affinity-mode`]: 'balanced',
    [`${nginx}/session-cookie-name`]: 'crosspod',
    [`${nginx}/session-cookie-max-age`]: '60',
    [`${nginx}/session-cookie-change-on-failure`]: 'true',
    [`${nginx}/session-cookie-samesite`]: 'Lax',
    [`${nginx}/proxy-connect-timeout`]: '2',
    [`${nginx}/proxy-read-timeout`]: '3600',
    [`${nginx}/proxy-send-timeout`]: '3600',
  });
  expect(spec).toEqual({ ingressClassName: 'nginx', tls: TLS, rules: [rule('ws.example.com', '/')] });
});

test('a controller that the chart does not know is told nothing', async () => {
  const { metadata, spec } = await ingress('ingress-plain');
  expect(metadata).not.toHaveProperty('annotations');
  expect(spec).toEqual({ rules: [rule(undefined, '/')] });
});

test('without Traefik the Service has no annotations', async () => {
  for (const deployment of ['haproxy', 'nginx-f5', 'ingress-nginx', 'ingress-plain', 'gateway-api'])
    expect(find(await deployed(deployment), 'Service', 'r-crosspod').metadata).not.toHaveProperty(
      'annotations',
    );
});

test('a route of the Gateway API has no timeout, and a cookie where it is asked for', async () => {
  const route = find(await deployed('gateway-api'), 'HTTPRoute', 'r-crosspod');
  expect(route.apiVersion).toBe('gateway.networking.k8s.io/v1');
  expect(route.metadata.annotations).toEqual({
    'external-dns.alpha.kubernetes.io/hostname': 'ws.example.com',
  });
  const plain = {
    matches: [{ path: { type: 'PathPrefix', value: '/' } }],
    timeouts: { request: '0s' },
    backendRefs: [{ name: 'r-crosspod', port: 80 }],
  };
  const sessionPersistence = {
    sessionName: 'crosspod',
    type: 'Cookie',
    absoluteTimeout: '60s',
    cookieConfig: { lifetimeType: 'Permanent' },
  };
  expect(route['spec']).toEqual({
    parentRefs: [{ name: 'public', namespace: 'gateways', sectionName: 'https' }],
    hostnames: ['ws.example.com'],
    rules: [{ ...plain, sessionPersistence }],
  });
  const objects = await render({
    httpRoute: { enabled: true, parentRefs: [{ name: 'g' }] },
    service: { port: 8080 },
  });
  expect(find(objects, 'HTTPRoute', 'r-crosspod')['spec']).toEqual({
    parentRefs: [{ name: 'g' }],
    rules: [{ ...plain, backendRefs: [{ name: 'r-crosspod', port: 8080 }] }],
  });
});

test('what is public is all that Ingress and route let in; other paths that are given stay', async () => {
  const paths = [
    { path: '/', pathType: 'Prefix' },
    { path: '/pages', pathType: 'Prefix' },
  ];
  const objects = await render({
    publicPaths: ['/ws', '/api/auth/guest'],
    ingress: { enabled: true, hosts: [{ host: 'ws.example.com', paths }] },
    httpRoute: { enabled: true, parentRefs: [{ name: 'g' }] },
  });
  expect(find(objects, 'Ingress', 'r-crosspod')['spec'].rules).toEqual([
    rule('ws.example.com', '/ws', '/api/auth/guest', '/pages'),
  ]);
  const [only] = find(objects, 'HTTPRoute', 'r-crosspod')['spec'].rules;
  expect(only.matches).toEqual(
    ['/ws', '/api/auth/guest'].map((value) => ({ path: { type: 'PathPrefix', value } })),
  );
});

test('a rule that is given says what it says, and the rest is the chart’s', async () => {
  const matches = [{ path: { type: 'PathPrefix', value: '/chat/ws' } }];
  const filters = [
    { type: 'URLRewrite', urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/ws' } } },
  ];
  const redirect = [{ type: 'RequestRedirect', requestRedirect: { scheme: 'https' } }];
  const rules = [{ matches, filters }, { filters: redirect }];
  const route = { enabled: true, parentRefs: [{ name: 'g' }], labels: { team: 'chat' }, rules };
  const { metadata, spec } = find(await render({ httpRoute: route }), 'HTTPRoute', 'r-crosspod');
  expect(metadata.labels).toEqual({ ...labels('gateway'), team: 'chat' });
  const all = [{ path: { type: 'PathPrefix', value: '/' } }];
  const backendRefs = [{ name: 'r-crosspod', port: 80 }];
  expect(spec.rules).toEqual([
    { matches, filters, backendRefs, timeouts: { request: '0s' } },
    // Nobody stays to be served.
    { matches: all, filters: redirect },
  ]);
});

test('the HTTP API has a Service and a route of its own where they are asked for', async () => {
  const httpRoute = { enabled: true, parentRefs: [{ name: 'internal' }], hostnames: ['api.internal'] };
  const objects = await render({ httpApi: { service: { enabled: true, port: 8080 }, httpRoute } });
  expect(find(objects, 'Service', 'r-crosspod-api')['spec']).toEqual({
    type: 'ClusterIP',
    selector: selector('gateway'),
    ports: [{ name: 'http', port: 8080, targetPort: 'http', appProtocol: 'http' }],
  });
  expect(find(objects, 'HTTPRoute', 'r-crosspod-api')['spec']).toEqual({
    parentRefs: [{ name: 'internal' }],
    hostnames: ['api.internal'],
    rules: [
      {
        matches: [{ path: { type: 'PathPrefix', value: '/api' } }],
        timeouts: { request: '0s' },
        backendRefs: [{ name: 'r-crosspod-api', port: 8080 }],
      },
    ],
  });
});
