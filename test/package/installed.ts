import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const MODULES = join(import.meta.dirname, '../../node_modules');
const SOURCE = join(import.meta.dirname, '../../src/client');
const TSC = join(MODULES, 'typescript/bin/tsc');

/** As strict as anybody's, and with a look into the package's own declarations. */
const STRICT = {
  target: 'ES2022',
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  skipLibCheck: false,
  allowImportingTsExtensions: true,
  moduleDetection: 'force',
};

/** No registry is asked: neither what it has nor whether it answers is a matter of the tests. */
export const OFFLINE = {
  ...process.env,
  npm_config_registry: 'http://127.0.0.1:1',
  npm_config_fetch_retries: '0',
};

/** Builds, packs and installs the package in an empty folder, with the commands that a person uses. */
export async function install(): Promise<Installation> {
  const folder = await mkdtemp(join(tmpdir(), 'crosspod-client-'));
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  const pack = ['pack', '--json', '--pack-destination', folder];
  const { stdout } = await run('npm', pack, { cwd: SOURCE, env: OFFLINE });
  const [packed] = Object.values(JSON.parse(stdout) as Record<string, { filename: string }>);
  const tarball = join(folder, packed?.filename ?? '');
  await run('npm', ['install', '--no-audit', '--no-fund', tarball], { cwd: folder, env: OFFLINE });
  return new Installation(folder);
}

/** A folder in which crosspod-client was installed from its tarball. */
export class Installation {
  readonly folder: string;
  /** Where the package itself is. */
  readonly package: string;

  constructor(folder: string) {
    this.folder = folder;
    this.package = join(folder, 'node_modules/crosspod-client');
  }

  /** Makes a package of the repository available as if it had been installed as well. */
  async link(name: string): Promise<void> {
    const place = join(this.folder, 'node_modules', name);
    await mkdir(dirname(place), { recursive: true });
    await symlink(join(MODULES, name), place);
  }

  /** What tsc says of these files of the folder; nothing if it has nothing to complain of. */
  async typeCheck(
    files: readonly string[],
    compilerOptions: Readonly<Record<string, unknown>>,
  ): Promise<string> {
    const config = join(this.folder, 'tsconfig.json');
    await writeFile(config, JSON.stringify({ compilerOptions: { ...STRICT, ...compilerOptions }, files }));
    const complained = (failure: { readonly stdout?: string }): { stdout: string } => {
      const { stdout = '' } = failure;
      // Something else than a complaint: tsc could not be run.
      if (stdout === '') throw failure;
      return { stdout };
    };
    const tsc = run(process.execPath, [TSC, '-p', config], { cwd: this.folder });
    return (await tsc.catch(complained)).stdout;
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true });
  }
}
