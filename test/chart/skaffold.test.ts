import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { find, helm, type KubernetesObject, settingsOf } from './helm.ts';

// Skaffold itself is in no registry that these tests use. They check what skaffold.yaml names: files, stages of the
// Dockerfile, values of the chart, Services; and what Helm makes of the values. They do not apply profiles.

const ROOT = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

interface Patch {
  readonly path: string;
  readonly value?: unknown;
}

interface Config {
  readonly apiVersion: string;
  readonly build: {
    readonly artifacts: readonly [
      {
        readonly image: string;
        readonly docker: { readonly dockerfile: string; readonly target: string };
        readonly sync: { readonly manual: readonly [{ readonly src: string; readonly dest: string }] };
      },
    ];
  };
  readonly deploy: {
    readonly helm: {
      readonly releases: readonly [
        {
          readonly name: string;
          readonly chartPath: string;
          readonly valuesFiles: readonly string[];
          readonly setValueTemplates: Readonly<Record<string, string>>;
        },
      ];
    };
  };
  readonly portForward: readonly {
    readonly resourceType: string;
    readonly resourceName: string;
    readonly port: number;
    readonly localPort: number;
  }[];
  readonly profiles: readonly { readonly name: string; readonly patches?: readonly Patch[] }[];
}

const SKAFFOLD = parse(read('skaffold.yaml'), { uniqueKeys: true }) as Config;
const [ARTIFACT] = SKAFFOLD.build.artifacts;
const [RELEASE] = SKAFFOLD.deploy.helm.releases;
const TAG = `6097459@sha256:${'f00d'.repeat(16)}`;

/** The values files by profile: its own where a patch names them, else those of the release. */
const VALUES = new Map(
  SKAFFOLD.profiles.map(({ name, patches = [] }) => {
    const patch = patches.find(({ path }) => path === '/deploy/helm/releases/0/valuesFiles');
    return [name, (patch?.value ?? RELEASE.valuesFiles) as readonly string[]];
  }),
);
const PROFILES = [...VALUES.keys()];

const rendered = new Map<string, KubernetesObject[]>();

beforeAll(async () => {
  for (const [name, files] of VALUES) {
    const values = files.flatMap((file) => ['--values', join(ROOT, file)]);
    const set = ['--set', `image.repository=${ARTIFACT.image}`, '--set', `image.tag=${TAG}`];
    const chart = join(ROOT, RELEASE.chartPath);
    const ran = await helm('template', RELEASE.name, chart, '--namespace', 'n', ...values, ...set);
    if (ran.code !== 0) throw new Error(`helm template failed:\n${ran.stderr}`);
    const documents = parseAllDocuments(ran.stdout).map((one) => one.toJS() as KubernetesObject | null);
    rendered.set(
      name,
      documents.filter((object) => object !== null),
    );
  }
});

function objects(profile: string): readonly KubernetesObject[] {
  return rendered.get(profile) ?? [];
}

function gateway(profile: string): KubernetesObject {
  return find(objects(profile), 'Deployment', 'crosspod');
}

// oxlint-disable-next-line typescript/no-explicit-any
function container(profile: string): any {
  return gateway(profile)['spec'].template.spec.containers[0];
}

function kinds(profile: string): string[] {
  return objects(profile).map((object) => object.kind);
}

describe('skaffold.yaml', () => {
  test('is in a version of 2.19, the first that knows Helm 4', () => {
    expect(SKAFFOLD).toMatchObject({ apiVersion: 'skaffold/v4beta14', kind: 'Config' });
  });

  test('has the profiles that its introduction names', () => {
    expect(PROFILES).toEqual(['dev', 'cluster', 'load']);
  });

  test('names files that exist, and values that the chart has', () => {
    const files = [
      ARTIFACT.docker.dockerfile,
      `${RELEASE.chartPath}/Chart.yaml`,
      ...[...VALUES.values()].flat(),
    ];
    expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
    const { image } = parse(read(`${RELEASE.chartPath}/values.yaml`)) as { image: object };
    for (const path of Object.keys(RELEASE.setValueTemplates))
      expect(Object.keys(image).map((key) => `image.${key}`)).toContain(path);
  });

  test.each(PROFILES)('%s runs the image of that name, tag and digest', (profile) => {
    expect(container(profile).image).toBe(`${ARTIFACT.image}:${TAG}`);
  });

  test.each(PROFILES)('the forwarded ports of %s lead to Services and containers', (profile) => {
    expect(SKAFFOLD.portForward.map(({ localPort }) => localPort)).toEqual([8080, 9090]);
    const targets = SKAFFOLD.portForward.map(({ resourceType, resourceName, port }) => {
      const service = find(objects(profile), resourceType, resourceName);
      const ports = service['spec'].ports as { port: number; targetPort: string }[];
      const named = container(profile).ports as { name: string; containerPort: number }[];
      const target = ports.find((one) => one.port === port)?.targetPort;
      return named.find(({ name }) => name === target)?.containerPort;
    });
    expect(targets).toEqual([8080, 9090]);
  });
});

describe('skaffold dev', () => {
  const { target, dockerfile } = ARTIFACT.docker;
  const [, stage = ''] = read(dockerfile).split(`FROM base AS ${target}\n`);
  const lines = (stage.split('\nFROM ')[0] ?? '').split('\n');

  test('copies saved sources to where the image has them, may write them, and Node watches them', () => {
    expect(ARTIFACT.sync.manual).toEqual([{ src: 'src/**/*', dest: '.' }]);
    expect(globSync('src/**/*', { cwd: ROOT })).toContain('src/main.ts');
    for (const line of ['ENV TAR_OPTIONS=--overwrite', 'COPY --chown=node:node src src', 'USER 1000:1000'])
      expect(lines).toContain(line);
    expect(lines.find((line) => line.startsWith('CMD'))).toMatch(/"--watch-path=src".*"src\/main\.ts"\]$/);
    expect(gateway('dev')['spec'].template.spec.securityContext).toMatchObject({ runAsUser: 1000 });
    expect(container('dev').securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: false,
    });
    for (const profile of ['cluster', 'load'])
      expect(container(profile).securityContext.readOnlyRootFilesystem).toBe(true);
  });

  test('runs one pod without Redis that ends at once', () => {
    expect(gateway('dev')['spec'].replicas).toBe(1);
    expect(kinds('dev')).not.toContain('StatefulSet');
    expect(gateway('dev')['spec'].template.spec.terminationGracePeriodSeconds).toBeLessThanOrEqual(10);
    expect(settingsOf(objects('dev'), 'crosspod')).toMatchObject({
      DRAIN_DELAY_SECONDS: '1',
      DRAIN_WINDOW_SECONDS: '0',
      SHUTDOWN_TIMEOUT_SECONDS: '2',
    });
  });

  test('does not restart the container for a day after a mistake in the sources', () => {
    for (const probe of ['startupProbe', 'livenessProbe']) {
      const { periodSeconds, failureThreshold } = container('dev')[probe];
      expect(periodSeconds * failureThreshold).toBeGreaterThanOrEqual(24 * 3600);
    }
  });
});

describe.each(['cluster', 'load'])('skaffold run -p %s', (profile) => {
  test('takes the development stage and the sync of sources away', () => {
    const patches = SKAFFOLD.profiles.find(({ name }) => name === profile)?.patches ?? [];
    for (const path of ['/build/artifacts/0/docker/target', '/build/artifacts/0/sync'])
      expect(patches).toContainEqual({ op: 'remove', path });
  });

  test('has several pods and Redis with Sentinel', () => {
    expect(gateway(profile)['spec'].replicas).toBeGreaterThanOrEqual(2);
    const redis = find(objects(profile), 'StatefulSet', 'crosspod-redis');
    expect(redis['spec'].replicas).toBe(3);
    const containers = redis['spec'].template.spec.containers as { name: string }[];
    expect(containers.map(({ name }) => name)).toEqual(['redis', 'sentinel']);
  });
});

test('nothing changes the number of pods', () => {
  for (const profile of PROFILES)
    for (const kind of ['HorizontalPodAutoscaler', 'ScaledObject'])
      expect(kinds(profile)).not.toContain(kind);
});

test('load tests have more pods, and each takes more connections', () => {
  expect(gateway('load')['spec'].replicas).toBeGreaterThan(gateway('cluster')['spec'].replicas);
  expect(container('cluster').resources.limits).toEqual({ memory: '768Mi' });
  expect(container('load').resources.limits).toEqual({ memory: '2Gi' });
  expect(settingsOf(objects('cluster'), 'crosspod')).not.toHaveProperty('MAX_CONNECTIONS');
  expect(settingsOf(objects('load'), 'crosspod')).toMatchObject({
    MAX_CONNECTIONS: '50000',
    HANDSHAKES_PER_SECOND: '5000',
    MESSAGES_PER_SECOND: '0',
  });
});
