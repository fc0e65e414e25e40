import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';

/** A file of each room, what it may import, and what it must not. */
const ROOMS: readonly (readonly [file: string, allowed: readonly string[], refused: readonly string[]])[] = [
  ['protocol/a.ts', ['./b.ts'], ['../core/base/b.ts', 'node:fs', 'ws']],
  ['core/ports/a.ts', ['./b.ts', '../../protocol/b.ts'], ['../base/b.ts', '../../http/b.ts', 'node:fs']],
  ['core/base/a.ts', ['../ports/b.ts', '../../protocol/b.ts'], ['../delivery/b.ts', 'node:crypto']],
  ['core/delivery/a.ts', ['../base/b.ts'], ['../pod/b.ts', '../../engines/shared/b.ts']],
  ['core/pod/a.ts', ['../delivery/b.ts'], ['../presence/b.ts', '../commands/b.ts']],
  ['core/presence/a.ts', ['../pod/b.ts'], ['../commands/b.ts', '../../ws/b.ts']],
  ['core/commands/a.ts', ['../presence/b.ts'], ['../../ws/b.ts', '../../app.ts', 'ws']],
  ['engines/shared/a.ts', ['../../core/base/b.ts', 'node:crypto'], ['../memory/b.ts', 'ioredis']],
  ['engines/memory/a.ts', ['../shared/b.ts'], ['../redis/b.ts', 'ioredis', '../../config.ts']],
  ['engines/redis/a.ts', ['./history/b.ts', 'ioredis'], ['../memory/b.ts', '@nats-io/jetstream']],
  [
    'engines/redis/history/a.ts',
    ['../connection/b.ts', '../../shared/b.ts'],
    ['../../nats/b.ts', '../../../http/b.ts'],
  ],
  ['engines/nats/a.ts', ['../shared/b.ts', '@nats-io/jetstream'], ['../redis/b.ts', 'ioredis']],
  ['engines/nats/history/a.ts', ['../connection/b.ts'], ['../../memory/b.ts', '../../../telemetry/b.ts']],
  ['auth/a.ts', ['../core/base/b.ts', 'jose'], ['../http/b.ts', 'ws']],
  ['hooks/a.ts', ['../core/ports/b.ts'], ['../webhooks/b.ts', 'jose']],
  ['backend/a.ts', ['../core/ports/b.ts', '../signed/b.ts'], ['../hooks/b.ts', '../webhooks/b.ts', 'undici']],
  ['signed/a.ts', ['node:crypto'], ['../core/base/b.ts', '../webhooks/b.ts']],
  ['webhooks/a.ts', ['../core/ports/b.ts', '../signed/b.ts'], ['../hooks/b.ts', '../config.ts']],
  ['rules/a.ts', ['../core/ports/b.ts', 'yaml', 'zod'], ['../hooks/b.ts', '../config.ts', 'jose']],
  ['http/a.ts', ['../core/commands/b.ts', 'hono', '@hono/zod-openapi'], ['../ws/b.ts', 'ws', '../app.ts']],
  ['http/asyncapi/a.ts', ['../b.ts', '../../protocol/b.ts'], ['../../ws/b.ts', 'ioredis']],
  ['ws/a.ts', ['../core/commands/b.ts', 'ws'], ['../http/b.ts', 'hono']],
  ['telemetry/a.ts', ['../core/ports/b.ts', 'pino'], ['../http/b.ts', 'hono']],
  ['client/a.ts', ['../protocol/b.ts'], ['../core/base/b.ts', 'node:fs', 'ws']],
  ['web/a.ts', ['../client/b.ts'], ['../core/base/b.ts', '../http/b.ts']],
  ['main.ts', ['./app.ts'], ['./core/base/b.ts', './http/b.ts']],
  ['rules-command.ts', ['./config.ts', './rules/b.ts'], ['./app.ts', './adapters.ts', 'yaml']],
  ['lifecycle.ts', ['./running-app.ts'], ['./app.ts', './http/b.ts']],
  ['config.ts', ['./settings.ts'], ['./app.ts', './ws/b.ts']],
  ['setting-identity.ts', ['./setting-problems.ts', './protocol/b.ts'], ['./auth/b.ts', 'jose']],
  ['platform.ts', ['./core/ports/b.ts'], ['./adapters.ts', 'hono']],
  ['adapters.ts', ['./engines/redis/index.ts'], ['./app.ts', './compose.ts', 'ioredis']],
  ['compose.ts', ['./adapters.ts'], ['./app.ts', 'ws']],
  ['app.ts', ['./compose.ts', 'hono'], ['./main.ts', './lifecycle.ts']],
  // Folders and files without a rule of their own may import nothing.
  ['core/new/a.ts', [], ['../base/b.ts', '../../app.ts']],
  ['engines/new/a.ts', [], ['../shared/b.ts', '../redis/index.ts']],
  ['new.ts', [], ['./app.ts', 'node:fs']],
];

const root = mkdtempSync(join(tmpdir(), 'import-rules-'));
let complaints: ReadonlySet<string>;

/** Writes a file with one import of a type: types count as imports. */
function plant(file: string, specifier: string, number: number): string {
  const target = join(root, String(number), 'src', file);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, `import type { X } from '${specifier}';\nexport type Y = X;\n`);
  return `${number}/src/${file}`;
}

const planted = ROOMS.flatMap(([file, allowed, refused]) => [
  ...allowed.map((specifier) => ({ file, specifier, isRefused: false })),
  ...refused.map((specifier) => ({ file, specifier, isRefused: true })),
]).map((one, number) => ({ ...one, at: plant(one.file, one.specifier, number) }));

beforeAll(async () => {
  for (const { at } of planted)
    cpSync('.oxlintrc.json', join(root, at.split('/')[0] ?? '', '.oxlintrc.json'));
  complaints = new Set(await lint());
});
afterAll(() => rmSync(root, { recursive: true }));

/** The files in which the linter refuses an import. */
function lint(): Promise<string[]> {
  const oxlint = join(process.cwd(), 'node_modules/.bin/oxlint');
  return new Promise((resolve) => {
    execFile(oxlint, ['--format=json', '.'], { cwd: root, maxBuffer: 1e8 }, (_error, output) => {
      const { diagnostics } = JSON.parse(output) as { diagnostics: { code: string; filename: string }[] };
      const refused = diagnostics.filter(({ code }) => code.includes('no-restricted-imports'));
      resolve(refused.map(({ filename }) => filename.replace(/^\.\//, '')));
    });
  });
}

test.each(planted)('$file that imports $specifier is refused: $isRefused', ({ at, isRefused }) => {
  expect(complaints.has(at)).toBe(isRefused);
});

test('every file of src is in a room that a rule guards', () => {
  const { overrides } = JSON.parse(readFileSync('.oxlintrc.json', 'utf8')) as {
    overrides: { files: string[]; rules: Record<string, unknown> }[];
  };
  const rules = overrides
    .filter(({ rules: its }) => 'no-restricted-imports' in its)
    .filter(({ files }) => !files.includes('src/**/*.ts'));
  const guarded = new Set(rules.flatMap(({ files }) => files.flatMap((pattern) => globSync(pattern))));
  const all = globSync('src/**/*.ts').filter((file) => !file.endsWith('.d.ts'));
  expect(all.filter((file) => !guarded.has(file))).toEqual([]);
});
