import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { guard } from '../support/stack/guard.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
/** The commit of 0.1.0. */
export const FIRST_RELEASE = 'ef857ae';

/** The newest tag `v*` before HEAD; without one, or where that is 0.1.0, the commit of 0.1.0. */
export function newestRelease(repository = REPOSITORY): string {
  const query = ['--merged', 'HEAD^', '--sort=-version:refname', '--count=1', '--format=%(refname:short)'];
  const tag = git(repository, 'for-each-ref', ...query, 'refs/tags/v*');
  if (tag === '') return FIRST_RELEASE;
  return git(repository, 'rev-parse', `${tag}^{commit}`).startsWith(FIRST_RELEASE) ? FIRST_RELEASE : tag;
}

/**
 * Takes the sources of a release (a tag or a commit) out of the git history and gives its `src/main.ts`. The folder that
 * holds them is removed with this process. Throws an error that says what to do where the history lacks that release.
 */
export function mainOf(release: string, repository = REPOSITORY): string {
  git(repository, 'cat-file', '-e', `${release}^{commit}`);
  const folder = mkdtempSync(join(tmpdir(), 'crosspod-earlier-release-'));
  guard(`folder ${folder}`);
  const archive = join(folder, 'release.tar');
  const paths = ['src', 'package.json', 'package-lock.json'];
  git(repository, 'archive', '--format=tar', `--output=${archive}`, release, ...paths);
  execFileSync('tar', ['-x', '-f', archive, '-C', folder]);
  provideDependencies(repository, folder);
  return join(folder, 'src/main.ts');
}

/** Links the packages that are installed here where the release uses the same versions; else installs its own. */
function provideDependencies(repository: string, folder: string): void {
  if (isDeepStrictEqual(dependenciesOf(folder), dependenciesOf(repository))) {
    symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'));
    return;
  }
  const options = ['--omit=dev', '--prefer-offline', '--no-audit', '--no-fund'];
  execFileSync('npm', ['ci', ...options], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
}

function dependenciesOf(folder: string): unknown {
  const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    dependencies: unknown;
  };
  return dependencies;
}

function git(repository: string, ...args: readonly string[]): string {
  try {
    return execFileSync('git', ['-C', repository, ...args], { stdio: 'pipe', encoding: 'utf8' }).trim();
  } catch (cause) {
    const message =
      'This runs an earlier release, and takes it from the git history, which lacks it here. ' +
      'In a shallow clone run `git fetch --unshallow --tags` (in GitHub Actions: `fetch-depth: 0`). ' +
      'In a folder without git history clone the repository instead.';
    const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : '';
    throw new Error(`${message}\n${said}`, { cause });
  }
}
