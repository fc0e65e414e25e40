import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { join, matchesGlob, posix } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { find, helm, type KubernetesObject, settingsOf } from './helm.ts';

const ROOT = join(import.meta.dirname, '../..');

interface SyncRule {
  readonly src: string;
  readonly dest: string;
  readonly strip?: string;
}

interface Patch {
  readonly op?: string;
  readonly path: string;
  readonly value?: unknown;
}

interface Config {
  readonly apiVersion: string;
  readonly kind: string;
  readonly build: {
    readonly artifacts: readonly {
      readonly image: string;
      readonly docker: { readonly dockerfile: string; readonly target?: string };
      readonly sync?: { readonly manual: readonly SyncRule[] };
    }[];
  };
  readonly deploy: {
    readonly helm: {
      readonly releases: readonly {
        readonly name: string;
        readonly chartPath: string;
        readonly valuesFiles: readonly string[];
        readonly setValueTemplates: Readonly<Record<string, string>>;
      }[];
    };
  };
  readonly portForward: readonly {
    readonly resourceType: string;
    readonly resourceName: string;
    readonly port: number;
    readonly localPort: number;
  }[];
  readonly profiles?: readonly { readonly name: string; readonly patches?: readonly Patch[] }[];
}

const SKAFFOLD = parse(readFileSync(join(ROOT, 'skaffold.yaml'), 'utf8'), { uniqueKeys: true }) as Config;
const PROFILES = ['dev', 'cluster', 'load'];

function only<T>(items: readonly T[] | undefined): T {
  const [first] = items ?? [];
  if (first === undefined || items?.length !== 1) throw new Error(`${items?.length} where one is expected`);
  return first;
}

/** Patches the document in place. Throws where there is nothing at the path, which Skaffold refuses as well. */
function patched(document: unknown, { op = 'replace', path, value }: Patch): void {
  const keys = path.split('/').slice(1);
  const last = keys.pop();
  let place = document as Record<string, unknown> | undefined;
  for (const key of keys) place = place?.[key] as Record<string, unknown> | undefined;
  if (place === undefined || last === undefined || !(last in place)) throw new Error(`nothing at ${path}`);
  if (op === 'remove') delete place[last];
  else if (op === 'replace') place[last] = value;
  else throw new Error(`these tests do not know the operation ${op}`);
}

/** What Skaffold works by under `-p NAME`; without a name: what it works by if nothing is said. */
function configuration(name?: string): Config {
  const { profiles, ...config } = structuredClone(SKAFFOLD);
  if (name === undefined) return config;
  const { patches, ...rest } = only(profiles?.filter((profile) => profile.name === name));
  expect(rest).toEqual({ name });
  for (const patch of patches ?? []) patched(config, patch);
  return config;
}

const ID = 'f00d'.repeat(16);

/** An image as Skaffold names it: by its id where nothing is pushed, else by tag and digest. */
const BUILT = [
  { tag: ID, digest: '' },
  { tag: '6097459', digest: `sha256:${ID}` },
];

/** The arguments that Skaffold makes of setValueTemplates. Throws where a template names no image that is built. */
function setArguments(config: Config, built: (typeof BUILT)[number]): string[] {
  const { image } = only(config.build.artifacts);
  const suffix = image.replaceAll(/[-/.:]/g, '_');
  const known = new Map([
    [`IMAGE_REPO_${suffix}`, image],
    [`IMAGE_TAG_${suffix}`, built.tag],
    [`IMAGE_DIGEST_${suffix}`, built.digest],
  ]);
  const { setValueTemplates } = only(config.deploy.helm.releases);
  return Object.entries(setValueTemplates).flatMap(([key, template]) => {
    const value = template.replaceAll(/\{\{\.(\w+)\}\}/g, (_, name: string) => {
      const found = known.get(name);
      if (found === undefined) throw new Error(`${name} is no image that is built`);
      return found;
    });
    return ['--set', `${key}=${value.replace(/@$/, '')}`];
  });
}

/** What Skaffold installs. Throws with what Helm says where it refuses it. */
async function installed(
  config: Config,
  built = BUILT[0] as (typeof BUILT)[number],
): Promise<KubernetesObject[]> {
  const { name, chartPath, valuesFiles } = only(config.deploy.helm.releases);
  const values = valuesFiles.flatMap((file) => ['--values', join(ROOT, file)]);
  const set = setArguments(config, built);
  const ran = await helm('template', name, join(ROOT, chartPath), '--namespace', 'n', ...set, ...values);
  if (ran.code !== 0) throw new Error(`helm template failed:\n${ran.stderr}`);
  return parseAllDocuments(ran.stdout)
    .map((document) => document.toJS() as KubernetesObject | null)
    .filter((object) => object !== null);
}

const all = new Map<string, KubernetesObject[]>();

beforeAll(async () => {
  for (const name of PROFILES) all.set(name, await installed(configuration(name)));
});

function objects(profile: string): readonly KubernetesObject[] {
  return all.get(profile) ?? [];
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

interface Stage {
  readonly name: string | undefined;
  readonly from: string;
  readonly lines: readonly (readonly [instruction: string, rest: string])[];
}

function stagesOf(dockerfile: string): Stage[] {
  const text = readFileSync(join(ROOT, dockerfile), 'utf8').replaceAll(/^\s*#.*\n/gm, '');
  const stages: { name: string | undefined; from: string; lines: [string, string][] }[] = [];
  for (const line of text.replaceAll(/\\\n/g, ' ').split('\n')) {
    const [, instruction, rest] = /^([A-Z]+)\s+(.*?)\s*$/.exec(line) ?? [];
    if (instruction === undefined || rest === undefined) continue;
    if (instruction !== 'FROM') stages.at(-1)?.lines.push([instruction, rest]);
    else {
      const [from = '', , name] = rest.split(/\s+/);
      stages.push({ name, from, lines: [] });
    }
  }
  return stages;
}

/** The last of the instructions of this kind, in the stage or in those that it begins with. */
function last(stages: readonly Stage[], stage: Stage | undefined, instruction: string): string | undefined {
  if (stage === undefined) return undefined;
  const own = stage.lines.findLast(([name]) => name === instruction);
  if (own !== undefined) return own[1];
  return last(
    stages,
    stages.find(({ name }) => name === stage.from),
    instruction,
  );
}

const ignoreRules = readFileSync(join(ROOT, '.dockerignore'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));

/** Whether a build does not see the file, and neither Skaffold therefore. */
function ignored(file: string): boolean {
  const rule = ignoreRules.findLast((line) => {
    const pattern = line.replace(/^!/, '');
    return matchesGlob(file, pattern) || matchesGlob(file, `${pattern}/**`);
  });
  return rule !== undefined && !rule.startsWith('!');
}

function filesMatching(pattern: string): string[] {
  return globSync(pattern, { cwd: ROOT })
    .filter((file) => statSync(join(ROOT, file)).isFile() && !ignored(file))
    .map((file) => file.replaceAll('\\', '/'));
}

const DOCKERFILE = only(SKAFFOLD.build.artifacts).docker.dockerfile;
const STAGES = stagesOf(DOCKERFILE);
const TARGET = only(SKAFFOLD.build.artifacts).docker.target;
const DEV = only(STAGES.filter(({ name }) => name === TARGET));
const WORKDIR = last(STAGES, DEV, 'WORKDIR') ?? '/';
const RULES = only(SKAFFOLD.build.artifacts).sync?.manual ?? [];

/** All files of the folders that the stage copies, with the places where it puts them and whose they are. */
function copied(stage: Stage): Map<string, { path: string; owner: string | undefined }> {
  const files = new Map<string, { path: string; owner: string | undefined }>();
  for (const [instruction, rest] of stage.lines) {
    if (instruction !== 'COPY' || rest.includes('--from=')) continue;
    const words = rest.split(/\s+/);
    const owner = words.find((word) => word.startsWith('--chown='))?.slice('--chown='.length);
    const [source = '', destination = ''] = words.filter((word) => !word.startsWith('--')).slice(-2);
    for (const file of filesMatching(`${source}/**/*`)) {
      const below = posix.relative(source, file);
      files.set(file, { path: posix.resolve(WORKDIR, destination, below), owner });
    }
  }
  return files;
}

/** Where Skaffold puts the file when it changes; undefined where it builds the image anew instead. */
function synced(file: string): string | undefined {
  const rule = RULES.find(({ src }) => matchesGlob(file, src));
  if (rule === undefined) return undefined;
  const below =
    rule.strip !== undefined && file.startsWith(rule.strip) ? file.slice(rule.strip.length) : file;
  return posix.resolve(WORKDIR, rule.dest, below);
}

describe('skaffold.yaml', () => {
  test('is in a version of 2.19, the first that knows Helm 4', () => {
    expect(SKAFFOLD).toMatchObject({ apiVersion: 'skaffold/v4beta14', kind: 'Config' });
  });

  test('has the profiles of its introduction, and dev is what happens without one', () => {
    expect(SKAFFOLD.profiles?.map(({ name }) => name)).toEqual(PROFILES);
    expect(configuration('dev')).toEqual(configuration());
  });

  test.each(PROFILES)('%s names files, a chart and a stage that exist', (profile) => {
    const config = configuration(profile);
    const { dockerfile, target } = only(config.build.artifacts).docker;
    const { chartPath, valuesFiles } = only(config.deploy.helm.releases);
    expect(valuesFiles).not.toEqual([]);
    const files = [dockerfile, `${chartPath}/Chart.yaml`, ...valuesFiles];
    expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
    if (target !== undefined) expect(STAGES.map(({ name }) => name)).toContain(target);
  });

  test.each(PROFILES)('%s runs the image that was built, pushed or not', async (profile) => {
    const config = configuration(profile);
    const { image } = only(config.build.artifacts);
    for (const built of BUILT) {
      const deployment = find(await installed(config, built), 'Deployment', 'crosspod');
      const { digest, tag } = built;
      const name = digest === '' ? `${image}:${tag}` : `${image}:${tag}@${digest}`;
      expect(only(deployment['spec'].template.spec.containers)).toMatchObject({ image: name });
    }
  });

  test.each(PROFILES)('the ports of %s on this machine lead to Services and containers', (profile) => {
    const { portForward } = configuration(profile);
    expect(portForward.map(({ localPort }) => localPort)).toEqual([8080, 9090]);
    const targets = portForward.map(({ resourceType, resourceName, port }) => {
      const service = find(objects(profile), resourceType, resourceName);
      const ports = service['spec'].ports as { port: number; targetPort: string }[];
      const { targetPort } = only(ports.filter((one) => one.port === port));
      const named = container(profile).ports as { name: string; containerPort: number }[];
      return only(named.filter(({ name }) => name === targetPort)).containerPort;
    });
    expect(targets).toEqual([8080, 9090]);
  });
});

describe('skaffold dev', () => {
  test('builds the stage for development', () => {
    expect(TARGET).toBe('dev');
    expect(DEV.from).toBe('base');
  });

  test.each(RULES)('what is saved in $src is where the image has it', ({ src }) => {
    const files = filesMatching(src);
    const inImage = copied(DEV);
    expect(files).toContain('src/main.ts');
    expect(files.map(synced)).toEqual(files.map((file) => inImage.get(file)?.path));
  });

  test('no source needs a new image', () => {
    const sources = [...copied(DEV)].filter(([file]) => file.startsWith('src/'));
    expect(sources.map(([file]) => file)).toContain('src/engines/redis/lua/history/append.lua');
    expect(sources.filter(([file]) => synced(file) === undefined)).toEqual([]);
    for (const file of ['package.json', 'package-lock.json']) expect(synced(file)).toBeUndefined();
  });

  test('the sources are the only thing of the image that its process may write', () => {
    expect(last(STAGES, DEV, 'USER')).toBe('1000:1000');
    expect(copied(DEV).get('src/main.ts')).toEqual({ path: '/app/src/main.ts', owner: 'node:node' });
    const owned = [...copied(DEV)].filter(([, { owner }]) => owner === 'node:node').map(([file]) => file);
    expect(owned).toEqual(RULES.flatMap(({ src }) => filesMatching(src)));
    expect(gateway('dev')['spec'].template.spec.securityContext).toMatchObject({ runAsUser: 1000 });
    expect(container('dev').securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: false,
    });
    for (const profile of ['cluster', 'load'])
      expect(container(profile).securityContext.readOnlyRootFilesystem).toBe(true);
  });

  test('Node watches the folder into which the files are put, and tar keeps them watched', () => {
    const command = JSON.parse(last(STAGES, DEV, 'CMD') ?? '[]') as string[];
    const option = command.find((word) => word.startsWith('--watch-path='));
    const watched = posix.resolve(WORKDIR, option?.slice('--watch-path='.length) ?? '');
    const places = RULES.flatMap(({ src }) => filesMatching(src).map(synced));
    expect(places).not.toEqual([]);
    expect(places.filter((place) => place?.startsWith(`${watched}/`) !== true)).toEqual([]);
    expect(DEV.lines).toContainEqual(['ENV', 'TAR_OPTIONS=--overwrite']);
    expect(command.at(-1)).toBe('src/main.ts');
  });

  test('one pod without Redis that ends at once', () => {
    expect(gateway('dev')['spec'].replicas).toBe(1);
    expect(kinds('dev')).not.toContain('StatefulSet');
    expect(gateway('dev')['spec'].template.spec.terminationGracePeriodSeconds).toBeLessThanOrEqual(10);
    expect(settingsOf(objects('dev'), 'crosspod')).toMatchObject({
      DRAIN_DELAY_SECONDS: '1',
      DRAIN_WINDOW_SECONDS: '0',
      SHUTDOWN_TIMEOUT_SECONDS: '2',
    });
  });

  test('a mistake in the sources does not restart the container for a day', () => {
    for (const probe of ['startupProbe', 'livenessProbe']) {
      const { periodSeconds, failureThreshold } = container('dev')[probe];
      expect(periodSeconds * failureThreshold).toBeGreaterThanOrEqual(24 * 3600);
    }
  });
});

describe.each(['cluster', 'load'])('skaffold run -p %s', (profile) => {
  test('has the last stage of the Dockerfile, into which nothing is synced', () => {
    const { docker, sync } = only(configuration(profile).build.artifacts);
    expect(docker).toEqual({ dockerfile: DOCKERFILE });
    expect(sync).toBeUndefined();
    expect(last(STAGES, STAGES.at(-1), 'CMD')).not.toContain('--watch');
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

test('for load tests there are more pods, and each takes more', () => {
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
