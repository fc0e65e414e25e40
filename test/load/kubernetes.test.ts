import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { kubernetesTool } from '../../scripts/kubernetes-tools.ts';
import { readSettings, SETTING_NAMES } from '../../loadtest/k6/settings.ts';
import { SCRIPTS } from './k6.ts';

const FOLDER = join(import.meta.dirname, '../../k8s/load');
const IMAGE = 'docker.io/grafana/k6:2.2.0';
/** Of a ConfigMap with all its keys. */
const MOST_BYTES = 1_048_576;

interface Variable {
  readonly name: string;
  readonly value: string;
}

// oxlint-disable-next-line typescript/no-explicit-any
const yaml = (file: string): any => parse(readFileSync(join(FOLDER, file), 'utf8'));

/** No cluster is asked for any of this. */
function kubectl(...args: string[]): string {
  return execFileSync(kubernetesTool('kubectl'), args, {
    encoding: 'utf8',
    env: { KUBECONFIG: '/dev/null' },
  });
}

/** The settings of a script among the variables. */
function settingsOf(variables: readonly Variable[]) {
  const own = variables.filter(({ name }) => !name.startsWith('K6_'));
  for (const { name } of own) expect(SETTING_NAMES).toContain(name);
  return readSettings(Object.fromEntries(own.map(({ name, value }) => [name, value])));
}

test('one command makes a ConfigMap of all scripts, and what the Job and the TestRun run is in it', () => {
  const from = `--from-file=${SCRIPTS}`;
  const made = kubectl('create', 'configmap', 'crosspod-k6', from, '--dry-run=client', '--output', 'yaml');
  const { data, metadata } = parse(made);
  expect(Object.keys(data)).toEqual(expect.arrayContaining(globSync('*.ts', { cwd: SCRIPTS })));
  expect(made.length).toBeLessThan(MOST_BYTES);
  const { spec } = yaml('testrun.yaml');
  expect(spec.script.configMap.name).toBe(metadata.name);
  expect(data).toHaveProperty([spec.script.configMap.file]);
  const { containers, volumes } = yaml('job.yaml').spec.template.spec;
  expect(volumes).toEqual([{ name: 'scripts', configMap: { name: metadata.name } }]);
  expect(data).toHaveProperty([containers[0].args.at(-1).replace('/scripts/', '')]);
});

test('both run k6 2 with settings that there are', () => {
  const [container] = yaml('job.yaml').spec.template.spec.containers;
  const { runner } = yaml('testrun.yaml').spec;
  expect([container.image, runner.image]).toEqual([IMAGE, IMAGE]);
  expect(settingsOf(container.env)).toMatchObject({ vus: 100, rooms: 10 });
  expect(settingsOf(runner.env)).toMatchObject({ run: 'testrun-1', vus: 200 });
});

test('the settings of the Job can be changed as its README says', () => {
  const file = join(FOLDER, 'job.yaml');
  const changed = kubectl(
    'set',
    'env',
    '--local',
    '--filename',
    file,
    'VUS=300',
    'RATE=2',
    '--output',
    'yaml',
  );
  const [container] = parse(changed).spec.template.spec.containers;
  expect(settingsOf(container.env)).toMatchObject({ vus: 300, rate: 2 });
});
