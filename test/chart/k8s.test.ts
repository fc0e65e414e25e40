import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { kubernetesTool } from '../../scripts/kubernetes-tools.ts';
import { metricTypes } from '../support/metric-names.ts';
import { find, type KubernetesObject, render, settingsOf } from './helm.ts';

const ROOT = join(import.meta.dirname, '../..');
const METRIC = 'realtime_connections_total';
const CONTROLLERS = ['haproxy', 'ingress-nginx', 'nginx-f5', 'traefik'];
const DEPLOYMENTS = ['prometheus', 'prometheus-adapter'];

const text = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
// oxlint-disable-next-line typescript/no-explicit-any
const yaml = (path: string): any => parse(text(path));

async function kustomize(folder: string): Promise<KubernetesObject[]> {
  const args = ['kustomize', join(ROOT, 'k8s', folder)];
  const { stdout } = await promisify(execFile)(kubernetesTool('kubectl'), args);
  return parseAllDocuments(stdout, { uniqueKeys: true }).map((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    return document.toJS() as KubernetesObject;
  });
}

/** The chart with these files of values, the last one winning. */
function chart(...files: readonly string[]): Promise<KubernetesObject[]> {
  return render(
    {},
    files.flatMap((file) => ['--values', join(ROOT, file)]),
  );
}

const objects: KubernetesObject[] = [];

beforeAll(async () => {
  for (const folder of DEPLOYMENTS) objects.push(...(await kustomize(folder)));
});

/** The file of the ConfigMap that the Deployment of this name has in its volume `config`. */
function configOf(name: string, file: string): ReturnType<typeof yaml> {
  const { volumes } = find(objects, 'Deployment', name)['spec'].template.spec;
  const [volume] = volumes.filter((one: { name: string }) => one.name === 'config');
  return parse(find(objects, 'ConfigMap', volume.configMap.name)['data'][file]);
}

function argument(deployment: string, name: string): string {
  const [container] = find(objects, 'Deployment', deployment)['spec'].template.spec.containers;
  const [found] = container.args.filter((one: string) => one.startsWith(`--${name}=`));
  return found?.slice(name.length + 3) ?? '';
}

test('each object is in the kustomization once, and none is left out', () => {
  expect(objects.map(({ kind, metadata: { namespace, name } }) => `${kind} ${namespace} ${name}`)).toEqual([
    'Namespace undefined monitoring',
    'ServiceAccount monitoring prometheus',
    'ClusterRole undefined crosspod-prometheus',
    'ClusterRoleBinding undefined crosspod-prometheus',
    expect.stringMatching(/^ConfigMap monitoring prometheus-[a-z0-9]{10}$/),
    'Service monitoring prometheus',
    'Deployment monitoring prometheus',
    'ServiceAccount monitoring prometheus-adapter',
    'ClusterRole undefined crosspod-prometheus-adapter',
    'RoleBinding kube-system crosspod-prometheus-adapter-auth-reader',
    'ClusterRoleBinding undefined crosspod-prometheus-adapter',
    'ClusterRoleBinding undefined crosspod-prometheus-adapter-auth-delegator',
    expect.stringMatching(/^ConfigMap monitoring prometheus-adapter-[a-z0-9]{10}$/),
    'Service monitoring prometheus-adapter',
    'Deployment monitoring prometheus-adapter',
    'APIService undefined v1beta1.custom.metrics.k8s.io',
  ]);
});

describe('rights', () => {
  const role = (kind: string, name: string): object => ({
    apiGroup: 'rbac.authorization.k8s.io',
    kind,
    name,
  });
  const account = (name: string): object[] => [{ kind: 'ServiceAccount', name, namespace: 'monitoring' }];

  test('Prometheus may find pods and nothing else, the adapter may list them', () => {
    expect(find(objects, 'ClusterRole', 'crosspod-prometheus')['rules']).toEqual([
      { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] },
    ]);
    expect(find(objects, 'ClusterRole', 'crosspod-prometheus-adapter')['rules']).toEqual([
      { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
    ]);
  });

  test('each has the role of its own, and the adapter those of a server behind the API server', () => {
    const given = objects
      .filter(({ kind }) => kind.endsWith('Binding'))
      .map(({ roleRef, subjects }) => ({ roleRef, subjects }));
    expect(given).toEqual([
      { roleRef: role('ClusterRole', 'crosspod-prometheus'), subjects: account('prometheus') },
      {
        roleRef: role('Role', 'extension-apiserver-authentication-reader'),
        subjects: account('prometheus-adapter'),
      },
      {
        roleRef: role('ClusterRole', 'crosspod-prometheus-adapter'),
        subjects: account('prometheus-adapter'),
      },
      { roleRef: role('ClusterRole', 'system:auth-delegator'), subjects: account('prometheus-adapter') },
    ]);
  });

  test('nobody who takes the namespace for granted gets a token or a right with it', () => {
    expect(find(objects, 'Namespace', 'monitoring').metadata.labels).toMatchObject({
      'pod-security.kubernetes.io/enforce': 'restricted',
    });
    for (const name of DEPLOYMENTS)
      expect(find(objects, 'ServiceAccount', name)['automountServiceAccountToken']).toBe(false);
  });
});

describe.each(DEPLOYMENTS)('the pod of %s', (name) => {
  const pod = (): ReturnType<typeof yaml> => find(objects, 'Deployment', name)['spec'].template;

  test('is nobody special, with a read-only root', () => {
    const { securityContext, serviceAccountName, containers, initContainers } = pod().spec;
    expect(securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: 65_534,
      runAsGroup: 65_534,
      fsGroup: 65_534,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(containers.map((one: { securityContext: object }) => one.securityContext)).toEqual([
      { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    ]);
    expect(initContainers).toBeUndefined();
    expect(serviceAccountName).toBe(name);
  });

  test('writes only where it has a volume of limited size', () => {
    const path = argument(name, name === 'prometheus' ? 'storage.tsdb.path' : 'cert-dir');
    const { containers, volumes } = pod().spec;
    const [mount, ...more] = containers[0].volumeMounts.filter((one: object) => !('readOnly' in one));
    expect(mount.mountPath).toBe(path);
    expect(more).toEqual([]);
    const [volume] = volumes.filter((one: { name: string }) => one.name === mount.name);
    expect(volume.emptyDir.sizeLimit).toMatch(/^1[MG]i$/);
  });

  test('has an image with a version, probes and bounds', () => {
    const [container] = pod().spec.containers;
    const { image, startupProbe, readinessProbe, livenessProbe, resources, ports } = container;
    expect(image).toMatch(/^(quay\.io|registry\.k8s\.io)\/[a-z/-]+:v\d+(\.\d+\.\d+)?$/);
    for (const probe of [startupProbe, readinessProbe, livenessProbe])
      expect(ports.map((port: { name: string }) => port.name)).toContain(probe.httpGet.port);
    expect(resources).toEqual({
      requests: { cpu: expect.stringMatching(/^\d+m$/), memory: expect.stringMatching(/^\d+Mi$/) },
      limits: { memory: expect.stringMatching(/^\d+Mi$/) },
    });
  });

  test('is what its Service leads to', () => {
    const { selector, ports } = find(objects, 'Service', name)['spec'];
    expect(selector).toEqual({ 'app.kubernetes.io/name': name });
    expect(pod().metadata.labels).toEqual(selector);
    const { selector: own } = find(objects, 'Deployment', name)['spec'];
    expect(own).toEqual({ matchLabels: selector });
    expect(ports.map((port: { targetPort: string }) => port.targetPort)).toEqual(
      pod().spec.containers[0].ports.map((port: { name: string }) => port.name),
    );
  });
});

describe('Prometheus', () => {
  interface Step {
    source_labels: string[];
    regex: string;
    action?: string;
    target_label?: string;
    replacement?: string;
  }
  const jobs = (): ReturnType<typeof yaml> => configOf('prometheus', 'prometheus.yml').scrape_configs;

  /** What Prometheus makes of a target's labels; nothing where it drops the target. */
  function relabel(given: Readonly<Record<string, string>>): Record<string, string> | undefined {
    const labels: Record<string, string> = { __metrics_path__: '/metrics', ...given };
    for (const step of jobs()[0].relabel_configs as Step[]) {
      const value = step.source_labels.map((label) => labels[label] ?? '').join(';');
      const match = new RegExp(`^(?:${step.regex ?? '(.*)'})$`).exec(value);
      if (step.action === 'keep' && match === null) return undefined;
      if (step.action === 'drop' && match !== null) return undefined;
      if (step.target_label === undefined || match === null) continue;
      labels[step.target_label] = (step.replacement ?? '$1').replaceAll(/\$(\d)/g, (_, n) => match[n] ?? '');
    }
    return Object.fromEntries(Object.entries(labels).filter(([label]) => !label.startsWith('__meta_')));
  }

  async function found(address: string, phase = 'Running'): Promise<Record<string, string>> {
    const { annotations } = find(await render(), 'Deployment', 'r-crosspod')['spec'].template.metadata;
    const meta = Object.entries(annotations as Record<string, string>).map(([name, value]) => [
      `__meta_kubernetes_pod_annotation_${name.replaceAll(/\W/g, '_')}`,
      value,
    ]);
    return {
      ...(Object.fromEntries(meta) as Record<string, string>),
      __address__: address,
      __meta_kubernetes_namespace: 'n',
      __meta_kubernetes_pod_name: 'r-crosspod-0',
      __meta_kubernetes_pod_phase: phase,
    };
  }

  test('fetches often, from pods that it finds itself', () => {
    const { global } = configOf('prometheus', 'prometheus.yml');
    expect(global).toEqual({ scrape_interval: '5s', scrape_timeout: '4s' });
    expect(jobs()).toHaveLength(1);
    expect(jobs()[0].kubernetes_sd_configs).toEqual([{ role: 'pod' }]);
    expect(argument('prometheus', 'config.file')).toBe('/etc/prometheus/prometheus.yml');
    expect(argument('prometheus', 'storage.tsdb.retention.time')).toBe('6h');
  });

  test.each([
    ['10.0.0.7:8080', '10.0.0.7:9090'],
    ['10.0.0.7:9090', '10.0.0.7:9090'],
    ['10.0.0.7', '10.0.0.7:9090'],
    ['[fd00::1]:8080', '[fd00::1]:9090'],
    ['[fd00::1]', '[fd00::1]:9090'],
  ])('finds a pod of the chart with a port at %s once, at %s', async (address, wanted) => {
    expect(relabel(await found(address))).toEqual({
      __address__: wanted,
      __metrics_path__: '/metrics',
      namespace: 'n',
      pod: 'r-crosspod-0',
    });
  });

  test('leaves alone what has ended, or does not ask for it', async () => {
    expect(relabel(await found('10.0.0.7:8080', 'Succeeded'))).toBeUndefined();
    expect(relabel(await found('10.0.0.7:8080', 'Failed'))).toBeUndefined();
    const pod = await found('10.0.0.7:8080');
    expect(
      relabel({ ...pod, __meta_kubernetes_pod_annotation_prometheus_io_scrape: 'false' }),
    ).toBeUndefined();
    const path = { __meta_kubernetes_pod_annotation_prometheus_io_path: '/figures' };
    expect(relabel({ ...pod, ...path })).toMatchObject({ __metrics_path__: '/figures' });
  });
});

describe('prometheus-adapter', () => {
  const seconds = (text: string): number => Number.parseInt(text) * (text.endsWith('m') ? 60 : 1);

  test('has the rule of docs/platform/scaling.md, for a gauge that the gateway exports', async () => {
    const [, documented = ''] = /```yaml\n(rules:\n[^]*?)```/.exec(text('docs/platform/scaling.md')) ?? [];
    const { rules, ...more } = configOf('prometheus-adapter', 'config.yaml');
    expect(rules).toEqual(parse(documented).rules.custom);
    expect(more).toEqual({});
    expect(rules).toHaveLength(1);
    expect(rules[0].name.as).toBe(METRIC);
    expect(rules[0].seriesQuery).toMatch(new RegExp(`^${METRIC}{`));
    expect((await metricTypes()).get(METRIC)).toBe('gauge');
  });

  test('is asked for that metric by the HPA, and Prometheus by KEDA', async () => {
    const scaled = await chart('k8s/values/try-scaling.yaml');
    const { metrics } = find(scaled, 'HorizontalPodAutoscaler', 'r-crosspod')['spec'];
    expect(metrics).toEqual([
      {
        type: 'Pods',
        pods: { metric: { name: METRIC }, target: { type: 'AverageValue', averageValue: '50' } },
      },
    ]);
    const keda = await chart('k8s/values/traefik.yaml', 'k8s/keda/values.yaml');
    const [trigger] = find(keda, 'ScaledObject', 'r-crosspod')['spec'].triggers;
    expect(trigger.metadata.serverAddress).toBe(argument('prometheus-adapter', 'prometheus-url'));
    expect(trigger.metadata.query).toContain(METRIC);
    expect(keda.filter(({ kind }) => kind === 'HorizontalPodAutoscaler')).toEqual([]);
  });

  test('asks the Prometheus that is here, often enough', () => {
    const { metadata, spec } = find(objects, 'Service', 'prometheus');
    const address = `http://${metadata.name}.${metadata.namespace}.svc:${spec.ports[0].port}`;
    expect(argument('prometheus-adapter', 'prometheus-url')).toBe(address);
    const { scrape_interval: scrape } = configOf('prometheus', 'prometheus.yml').global;
    const relist = seconds(argument('prometheus-adapter', 'metrics-relist-interval'));
    expect(relist).toBeGreaterThan(seconds(scrape));
    expect(relist).toBeLessThanOrEqual(15);
    expect(seconds(argument('prometheus-adapter', 'metrics-max-age'))).toBeGreaterThan(relist);
    expect(argument('prometheus-adapter', 'config')).toBe('/etc/adapter/config.yaml');
  });

  test('is the API server’s source of custom metrics', () => {
    expect(find(objects, 'APIService', 'v1beta1.custom.metrics.k8s.io')['spec']).toEqual({
      group: 'custom.metrics.k8s.io',
      version: 'v1beta1',
      groupPriorityMinimum: 100,
      versionPriority: 100,
      insecureSkipTLSVerify: true,
      service: { name: 'prometheus-adapter', namespace: 'monitoring', port: 443 },
    });
    expect(find(objects, 'Service', 'prometheus-adapter')['spec'].ports[0].port).toBe(443);
    expect(argument('prometheus-adapter', 'secure-port')).toBe('6443');
  });
});

describe('values for the chart', () => {
  const files = readdirSync(join(ROOT, 'k8s/values'));
  const own: Record<string, string[]> = {
    traefik: [],
    haproxy: ['haproxy.org/cookie-persistence', 'haproxy.org/load-balance', 'haproxy.org/check'],
    'nginx-f5': ['nginx.org/sticky-cookie-services', 'nginx.org/websocket-services', 'nginx.org/lb-method'],
    'ingress-nginx': [
      'nginx.ingress.kubernetes.io/affinity',
      'nginx.ingress.kubernetes.io/proxy-read-timeout',
    ],
  };

  test('there is a file for each preset of the chart, and the controller’s beside it', () => {
    const presets = JSON.parse(text('charts/crosspod/values.schema.json')).properties.ingress.properties
      .preset;
    expect(presets.enum.filter((one: string) => one !== 'none').sort()).toEqual(CONTROLLERS);
    const names = files.map((file) => basename(file, '.yaml'));
    expect(names).toEqual(expect.arrayContaining([...CONTROLLERS, 'production', 'try-scaling']));
    expect(readdirSync(join(ROOT, 'k8s/controllers')).sort()).toEqual(
      CONTROLLERS.map((name) => `${name}.yaml`),
    );
  });

  test.each(files)('%s is accepted', async (file) => {
    expect(find(await chart(`k8s/values/${file}`), 'Deployment', 'r-crosspod').apiVersion).toBe('apps/v1');
  });

  test.each(CONTROLLERS)('%s gets what its preset says to it, and says who the client is', async (name) => {
    const rendered = await chart(`k8s/values/${name}.yaml`);
    const { metadata, spec } = find(rendered, 'Ingress', 'r-crosspod');
    expect(Object.keys(metadata.annotations ?? {})).toEqual(expect.arrayContaining(own[name] ?? ['?']));
    const sticky = 'traefik.ingress.kubernetes.io/service.sticky.cookie';
    const { annotations = {} } = find(rendered, 'Service', 'r-crosspod').metadata;
    expect(annotations[sticky]).toBe(name === 'traefik' ? 'true' : undefined);
    expect(settingsOf(rendered).TRUST_PROXY).toBe('true');
    const { controller, ingressClass } = yaml(`k8s/controllers/${name}.yaml`);
    // What the charts of the two that have no such line make.
    const usual: Record<string, string> = { haproxy: 'haproxy', 'ingress-nginx': 'nginx' };
    const anyHost = name === 'nginx-f5' ? ['localhost'] : [undefined];
    expect(spec.rules.map((rule: { host?: string }) => rule.host)).toEqual(anyHost);
    expect(spec.ingressClassName).toBe((ingressClass ?? controller.ingressClass)?.name ?? usual[name]);
  });

  test.each(CONTROLLERS)('production.yaml goes with %s', async (name) => {
    const rendered = await chart(`k8s/values/${name}.yaml`, 'k8s/values/production.yaml');
    const { metadata, spec } = find(rendered, 'Ingress', 'r-crosspod');
    expect(spec.tls).toEqual([{ secretName: 'chat-example-com', hosts: ['chat.example.com'] }]);
    expect(spec.rules.map((rule: { host: string }) => rule.host)).toEqual(['chat.example.com']);
    expect(Object.keys(metadata.annotations ?? {})).toEqual(expect.arrayContaining(own[name] ?? ['?']));
    const { minReplicas, maxReplicas } = find(rendered, 'HorizontalPodAutoscaler', 'r-crosspod')['spec'];
    expect([minReplicas, maxReplicas]).toEqual([3, 20]);
    const { ingress } = find(rendered, 'NetworkPolicy', 'r-crosspod')['spec'];
    const namespaces = JSON.stringify(ingress).matchAll(/"kubernetes.io\/metadata.name":"([^"]*)"/g);
    // Where the README puts the controller, and where Prometheus is.
    expect([...namespaces].map(([, namespace]) => namespace)).toEqual(['ingress', 'monitoring']);
  });
});

test('no controller closes WebSockets that are alive, and none keeps old processes for ever', () => {
  const settings = (name: string): object => yaml(`k8s/controllers/${name}.yaml`).controller.config;
  expect(settings('haproxy')).toEqual({
    'timeout-tunnel': '1h',
    'timeout-connect': '2s',
    'hard-stop-after': '1h',
  });
  expect(settings('nginx-f5')).toEqual({ entries: { 'worker-shutdown-timeout': '1h' } });
  expect(settings('ingress-nginx')).toEqual({ 'worker-shutdown-timeout': '1h' });
});

test('kind leads to the port that every controller has', () => {
  const { nodes } = yaml('k8s/kind.yaml');
  expect(nodes.map((node: { role: string }) => node.role)).toEqual([
    'control-plane',
    'worker',
    'worker',
    'worker',
  ]);
  expect(nodes[0].extraPortMappings).toEqual([
    { containerPort: 30_080, hostPort: 8000, listenAddress: '127.0.0.1', protocol: 'TCP' },
  ]);
  const ports = CONTROLLERS.map((name) => {
    const { ports: own, service: outer, controller } = yaml(`k8s/controllers/${name}.yaml`);
    const service = outer ?? controller.service;
    expect(service.type).toBe('NodePort');
    return own?.web.nodePort ?? service.nodePorts?.http ?? service.httpPort.nodePort;
  });
  expect(ports).toEqual([30_080, 30_080, 30_080, 30_080]);
});

describe.each(['k8s/README.md', 'k8s/keda/README.md'])('%s', (readme) => {
  const page = text(readme);
  const commands = [...page.matchAll(/```sh\n([^]*?)```/g)].flatMap(([, block = '']) =>
    block.trim().split('\n'),
  );

  test('names only paths that exist', () => {
    const links = [...page.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path = '']) =>
      join(dirname(readme), path),
    );
    const paths = [...commands.join('\n').matchAll(/(?<![\w/.])(?:k8s|charts)\/[\w./-]+/g)].map(
      ([path]) => path,
    );
    expect(links.length).toBeGreaterThan(1);
    expect(paths.length).toBeGreaterThan(1);
    expect([...links, ...paths].filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test('installs the chart with values that it accepts', async () => {
    const installs = commands.filter((line) => /^\s*helm (install|upgrade) .*charts\/crosspod/.test(line));
    expect(installs).not.toEqual([]);
    for (const line of installs) {
      const files = [...line.matchAll(/--values (\S+)/g)].map(([, file = '']) => file);
      const sets = [...line.matchAll(/--set (\S+)/g)].flatMap(([, value = '']) => ['--set', value]);
      const more = [...files.flatMap((file) => ['--values', join(ROOT, file)]), ...sets];
      expect((await render({}, more)).length).toBeGreaterThan(5);
    }
  });

  test('waits for and asks about objects that are there', async () => {
    const values = ['k8s/values/traefik.yaml', 'k8s/values/try-scaling.yaml'];
    const rendered = [...objects, ...(await chart(...values))];
    const names = rendered.map(({ kind, metadata }) =>
      `${kind.toLowerCase()}/${metadata.name}`.replace('/r-', '/chat-'),
    );
    const asked = [...commands.join('\n').matchAll(/(?:deployment|statefulset|apiservice)\/[\w.-]+/g)];
    expect(asked.map(([name]) => name).filter((name) => !names.includes(name))).toEqual([]);
    const hpa = /get hpa (\S+)/.exec(commands.join('\n'))?.[1];
    if (hpa !== undefined) expect(names).toContain(`horizontalpodautoscaler/${hpa}`);
  });
});

test('k8s/README.md names all that is in the folder', () => {
  const page = text('k8s/README.md');
  const entries = readdirSync(join(ROOT, 'k8s')).filter((entry) => entry !== 'README.md');
  expect(entries.filter((entry) => !new RegExp(`\\]\\(${entry}[/)]`).test(page))).toEqual([]);
});
