import { expect, onTestFinished, test } from 'vitest';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mainOf, newestRelease } from './earlier-release.ts';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { tmpdir } from 'node:os';

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'crosspod-history-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** A repository with one commit for each text, which is the content of its `src/main.ts`. */
function repositoryOf(...texts: readonly string[]): { folder: string; git: (...args: string[]) => void } {
  const folder = emptyFolder();
  const author = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', '-c', 'commit.gpgsign=false'];
  const git = (...args: string[]): void => {
    execFileSync('git', ['-C', folder, ...author, ...args], { stdio: 'pipe' });
  };
  git('init', '--quiet');
  mkdirSync(join(folder, 'src'));
  for (const name of ['package.json', 'package-lock.json']) writeFileSync(join(folder, name), '{}');
  for (const text of texts) {
    writeFileSync(join(folder, 'src/main.ts'), text);
    git('add', '.');
    git('commit', '--quiet', '--message', text);
  }
  return { folder, git };
}

test('The earlier release is the newest tag before HEAD, also where HEAD has a tag itself', () => {
  const { folder, git } = repositoryOf('one', 'two', 'three');
  git('tag', 'v0.9.0', 'HEAD~2');
  git('tag', 'v0.10.0', 'HEAD~1');
  git('tag', 'v0.11.0');
  expect(newestRelease(folder)).toBe('v0.10.0');
  expect(readFileSync(mainOf('v0.10.0', folder), 'utf8')).toBe('two');
});

test.each([
  ['a clone that ends at HEAD', () => repositoryOf('one').folder, 'git fetch --unshallow --tags'],
  ['a clone without that commit', () => repositoryOf('one', 'two').folder, 'git fetch --unshallow --tags'],
  ['a folder without git history', emptyFolder, 'clone the repository'],
])('In %s the error says what to do', (_, folder, advice) => {
  const repository = folder();
  expect(() => mainOf(newestRelease(repository), repository)).toThrow(advice);
});
