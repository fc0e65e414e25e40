import { existsSync, readFileSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '' && existsSync(path));
const documents = tracked.filter((path) => path.endsWith('.md'));

/** The document without fenced and inline code, where brackets are no links. */
function withoutCode(markdown: string): string {
  return markdown.replaceAll(/^( *)```[^]*?^\1```$/gm, '').replaceAll(/`[^`\n]*`/g, '');
}

/** The anchors that GitHub gives the headings: lower case, no punctuation, hyphens for spaces, `-1` for a repetition. */
function anchorsOf(path: string): Set<string> {
  const anchors = new Set<string>();
  const text = readFileSync(path, 'utf8').replaceAll(/^( *)```[^]*?^\1```$/gm, '');
  for (const [, heading = ''] of text.matchAll(/^#{1,6} (.+)$/gm)) {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = plain.replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(/\s/g, '-');
    let unique = anchor;
    for (let n = 1; anchors.has(unique); n += 1) unique = `${anchor}-${n}`;
    anchors.add(unique);
  }
  return anchors;
}

function isBroken(document: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? document : join(document, '..', decodeURIComponent(path));
  if (!existsSync(target)) return true;
  if (anchor === undefined) return false;
  return statSync(target).isDirectory() || !anchorsOf(target).has(anchor);
}

test.each(documents)('every relative link and anchor of %s resolves', (document) => {
  const text = withoutCode(readFileSync(document, 'utf8'));
  const links = Array.from(text.matchAll(/\]\(([^()\s]+)\)/g), ([, link = '']) => link);
  const relative = links.filter((link) => !/^[a-z]+:/.test(link));
  expect(relative.filter((link) => isBroken(document, link))).toEqual([]);
});

test('every file that a document or a comment names under docs/ exists', () => {
  const sources = tracked.filter((path) => /\.(?:md|ts|lua|ya?ml|txt|tpl|sh|json)$/.test(path));
  const named = sources.flatMap((path) =>
    Array.from(readFileSync(path, 'utf8').matchAll(/(?<![\w./-])docs\/[\w/.-]+\.md/g), ([file]) => ({
      path,
      file,
    })),
  );
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter(({ file }) => !existsSync(file))).toEqual([]);
});

test('every test file that the pages for platform engineers name exists', () => {
  const pages = documents.filter((path) => path.startsWith('docs/platform/'));
  const named = pages.flatMap(
    (path) => readFileSync(path, 'utf8').match(/\btest\/[\w/.-]+\.test\.ts/g) ?? [],
  );
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter((path) => !existsSync(path))).toEqual([]);
});
