import { execFile } from 'node:child_process';
import { cpSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readVersion } from '../../src/version.ts';
import { PATIENT, useBrowser } from '../browser/browser.ts';
import { podForTest } from '../browser/person.ts';
import { type Installation, install, OFFLINE } from './installed.ts';
import { serve, type StaticServer } from './static-server.ts';
import { Terminal } from './terminal.ts';

const run = promisify(execFile);
const SIZE_LIMIT = 8_500;
const NODENEXT = { module: 'NodeNext', moduleResolution: 'NodeNext' };
const BUNDLER = { module: 'ESNext', moduleResolution: 'Bundler' };
const BROWSER = { lib: ['ES2022', 'DOM'], types: [] };
const NODE = { lib: ['ES2022'], types: ['node'] };

const openPage = useBrowser();
/** What a bundler puts around `main.tsx`. */
const REACT_PAGE = `<!doctype html><link rel="icon" href="data:,"><body><script type="module" src="main.js"></script>`;

/** What a reader knows from the quick start. */
const README_NAMES = `
  import type { Crosspod, Room } from 'crosspod-client';
  declare global {
    const client: Crosspod;
    const room: Room<{ chat: { text: string } }>;
  }`;

let installation: Installation;
let folder: string;
let site: StaticServer;

beforeAll(async () => {
  installation = await install();
  folder = installation.folder;
  for (const name of ['react', 'react-dom', '@types/node', '@types/react', '@types/react-dom'])
    await installation.link(name);
  cpSync('test/package/sample', folder, { recursive: true });
  cpSync('examples/node', join(folder, 'node'), { recursive: true });
  cpSync('examples/page', join(folder, 'page'), { recursive: true });
  // Its tsconfig is one of the repository, where it extends another.
  const filter = (path: string): boolean => !path.endsWith('.json');
  cpSync('examples/react', join(folder, 'react'), { recursive: true, filter });
  site = await serve(folder);
});

afterAll(async () => {
  await site.close();
  await installation.remove();
});

function readJson(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
}

/** Bundles a file of the folder as an application would, for a browser. */
async function bundle(input: string, file: string): Promise<string> {
  const build = await rolldown({
    input: join(folder, input),
    platform: 'browser',
    transform: { define: { 'process.env.NODE_ENV': '"development"' } },
  });
  const { output } = await build.write({ file: join(folder, file), format: 'esm' });
  await build.close();
  return output[0].code;
}

describe('the package', () => {
  test('has the bundle with its source map, the declarations that it needs, and no more', async () => {
    writeFileSync(join(folder, 'user.ts'), "export * from 'crosspod-client';");
    const listed = await installation.typeCheck(['user.ts'], {
      ...NODENEXT,
      ...BROWSER,
      listFiles: true,
    });
    const declarations = listed
      .split('\n')
      .filter((path) => path.startsWith(installation.package))
      .map((path) => path.slice(installation.package.length + 1));
    expect(declarations).toContain('dist/types/client/client.d.ts');
    const twins = declarations.map((path) => path.replace('dist/', 'dist/commonjs/'));
    const files = globSync('**', { cwd: installation.package, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(installation.package, join(entry.parentPath, entry.name)));
    const others = [
      'dist/crosspod-client.js',
      'dist/crosspod-client.js.map',
      'dist/commonjs/crosspod-client.js',
      'dist/commonjs/crosspod-client.js.map',
      'dist/commonjs/package.json',
      'LICENSE',
      'package.json',
      'README.md',
    ];
    expect(files.sort()).toEqual([...declarations, ...twins, ...others].sort());
  });

  test('is of the gateway’s version and licence and needs no other package', () => {
    const manifest = readJson(join(installation.package, 'package.json'));
    const { license } = readJson('package.json');
    const version = readVersion();
    expect(manifest).toMatchObject({ name: 'crosspod-client', version, license, engines: { node: '>=22' } });
    expect(Object.keys(manifest).filter((field) => /dependencies/i.test(field))).toEqual([]);
    expect(readFileSync(join(installation.package, 'LICENSE'), 'utf8')).toBe(readFileSync('LICENSE', 'utf8'));
  });

  test('is smaller than 8.5 KB as it travels', async () => {
    const whole = readFileSync(join(installation.package, 'dist/crosspod-client.js'));
    expect(gzipSync(whole).length).toBeLessThan(SIZE_LIMIT);
  });

  test('is imported by its name alone, and exports what is said', async () => {
    const script = `
      const { exports } = (await import('crosspod-client/package.json', { with: { type: 'json' } })).default;
      console.log(Object.keys(exports).join(), Object.keys(await import('crosspod-client')).join());
      await import('crosspod-client/dist/crosspod-client.js').catch(({ code }) => console.log(code));`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: folder,
    });
    expect(stdout).toBe('.,./package.json Crosspod,CrosspodError\nERR_PACKAGE_PATH_NOT_EXPORTED\n');
  });

  test('is required as well, by Node and by what knows no exports', async () => {
    const script = `
      console.log(Object.keys(require('crosspod-client')).join());
      console.log(Object.keys(require('./node_modules/crosspod-client')).join());`;
    // Newer versions of Node can require an ES module; Jest and older ones cannot.
    const { stdout } = await run(
      process.execPath,
      ['--no-experimental-require-module', '--input-type=commonjs', '--eval', script],
      { cwd: folder },
    );
    expect(stdout).toBe('Crosspod,CrosspodError\nCrosspod,CrosspodError\n');
  });

  test('can be published', async () => {
    const { stdout } = await run('npm', ['publish', '--dry-run', '--json'], {
      cwd: 'src/client',
      env: OFFLINE,
    });
    expect(JSON.parse(stdout)).toHaveProperty('crosspod-client.id', `crosspod-client@${readVersion()}`);
  });
});

describe('the types', () => {
  test.each(['Node16', 'NodeNext'])('hold in a CommonJS package, by %s', async (module) => {
    mkdirSync(join(folder, 'commonjs'), { recursive: true });
    writeFileSync(join(folder, 'commonjs/package.json'), '{ "type": "commonjs" }');
    const files = ['talk.ts', 'mistakes.ts'].map((file) => `commonjs/${file}`);
    for (const file of files) cpSync(join('test/package/sample', basename(file)), join(folder, file));
    expect(await installation.typeCheck(files, { module, moduleResolution: module, ...BROWSER })).toBe('');
  });

  const settings = [
    { name: 'nodenext in a browser', options: { ...NODENEXT, ...BROWSER } },
    { name: 'bundler in a browser', options: { ...BUNDLER, ...BROWSER } },
    { name: 'nodenext in Node', options: { ...NODENEXT, ...NODE } },
    { name: 'bundler in Node', options: { ...BUNDLER, ...NODE } },
  ];

  test.each(settings)('let pass what is right and nothing else: $name', async ({ options }) => {
    expect(await installation.typeCheck(['talk.ts', 'mistakes.ts'], options)).toBe('');
  });

  test('hold for the code in the README', async () => {
    const readme = readFileSync('src/client/README.md', 'utf8');
    const blocks = [...readme.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code = '']) => code);
    expect(readme.match(/^```(?!sh$).+$/gm)).toHaveLength(blocks.length);
    mkdirSync(join(folder, 'readme'));
    const files = [README_NAMES, ...blocks].map((code, index) => {
      writeFileSync(join(folder, `readme/${index}.ts`), code);
      return `readme/${index}.ts`;
    });
    expect(await installation.typeCheck(files, { ...NODENEXT, ...BROWSER })).toBe('');
  });

  test('hold for the examples', async () => {
    expect(await installation.typeCheck(['node/chat.ts'], { ...NODENEXT, ...NODE })).toBe('');
    const options = { ...BUNDLER, ...BROWSER, jsx: 'react-jsx' };
    expect(await installation.typeCheck(['react/main.tsx'], options)).toBe('');
  });
});

describe('in Node', () => {
  const chat = (wsUrl: string, ...args: string[]): Terminal =>
    new Terminal(join(folder, 'node/chat.ts'), [`${wsUrl}/ws`, ...args]);

  test('what was installed talks to a pod', async () => {
    const { wsUrl } = await podForTest();
    const script = `
      import { talk } from './talk.ts';
      console.log(JSON.stringify(await talk('${wsUrl}/ws')));`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: folder,
    });
    expect(JSON.parse(stdout)).toEqual({
      chats: ['bob: hello', 'ann: hello yourself'],
      typing: [true],
      direct: [{ text: 'psst' }],
      members: ['ann', 'bob'],
      replayed: ['hello', 'hello yourself'],
      refusal: 'invalid_room',
    });
  });

  test('two people chat by the example, which ends with its input', async () => {
    const { wsUrl } = await podForTest();
    const ann = chat(wsUrl, 'ann');
    await expect.poll(ann.lines, PATIENT).toContain('[here: ann]');
    const bob = chat(wsUrl, 'bob');
    await expect.poll(ann.lines, PATIENT).toContain('[here: ann, bob]');
    ann.type('hello');
    await expect.poll(bob.lines, PATIENT).toContain('ann: hello');
    bob.type('hello yourself');
    await expect.poll(ann.lines, PATIENT).toContain('bob: hello yourself');
    ann.endInput();
    expect(await ann.exitCode()).toBe(0);
    await expect.poll(bob.lines, PATIENT).toContain('[here: bob]');
    bob.endInput();
    expect(await bob.exitCode()).toBe(0);
  });

  test('the example sends all that is piped into it', async () => {
    const { wsUrl } = await podForTest();
    const [ann, bob] = [chat(wsUrl, 'ann'), chat(wsUrl, 'bob')];
    for (const line of ['one', 'two', 'three']) bob.type(line);
    bob.endInput();
    expect(await bob.exitCode()).toBe(0);
    await expect
      .poll(() => ann.lines().filter((line) => line.startsWith('bob')), PATIENT)
      .toEqual(['bob: one', 'bob: two', 'bob: three']);
  });

  test('the example says why it cannot go on', async () => {
    const { wsUrl } = await podForTest();
    const nobody = chat(wsUrl, 'ann', 'no room');
    expect(await nobody.exitCode()).toBe(1);
    expect(nobody.lines()).toContainEqual(expect.stringMatching(/^\[no room cannot be joined: /));
  });
});

describe('in Chromium', () => {
  const visitor = async (path: string): Promise<(name: string) => Promise<Page>> => {
    const { wsUrl } = await podForTest();
    return (name) => openPage(`${site.url}/${path}?url=${wsUrl}/ws&name=${name}`);
  };

  const say = async (page: Page, text: string): Promise<void> => {
    await page.getByLabel('Message', { exact: true }).fill(text);
    await page.getByRole('button', { name: 'Send' }).click();
  };

  const messages = (page: Page) => (): Promise<string[]> => page.locator('ol > li').allTextContents();

  /** Sorted: who comes first depends on whose connection is up first. */
  const members = (page: Page) => async (): Promise<string[]> =>
    (await page.locator('ul > li').allTextContents()).sort();

  test('two people chat on the page without a build step', async () => {
    const visit = await visitor('page/index.html');
    const [ann, bob] = [await visit('Ann'), await visit('Bob')];
    await expect.poll(members(ann), PATIENT).toEqual(['Ann', 'Bob']);
    await say(ann, 'hello');
    await expect.poll(messages(bob), PATIENT).toEqual(['Ann: hello']);
    await say(bob, 'hello yourself');
    await expect.poll(messages(ann), PATIENT).toEqual(['Ann: hello', 'Bob: hello yourself']);
    expect(await ann.getByRole('status').textContent()).toBe('connected');
  });

  describe('with the React hook, under StrictMode,', () => {
    beforeAll(async () => {
      await bundle('react/main.tsx', 'react/main.js');
      writeFileSync(join(folder, 'react/index.html'), REACT_PAGE);
    });

    test('two people see each other and every message once', async () => {
      const visit = await visitor('react/index.html');
      const [ann, bob] = [await visit('Ann'), await visit('Bob')];
      for (const page of [ann, bob]) await expect.poll(members(page), PATIENT).toEqual(['Ann', 'Bob']);
      await say(ann, 'hello');
      await say(bob, 'hello yourself');
      const both = ['Ann: hello', 'Bob: hello yourself'];
      for (const page of [ann, bob]) await expect.poll(messages(page), PATIENT).toEqual(both);
      expect(await ann.getByRole('status').textContent()).toBe('connected');
    });

    test('who unmounts it is out of the room, and who mounts it again finds what was said meanwhile', async () => {
      const visit = await visitor('react/index.html');
      const [ann, bob] = [await visit('Ann'), await visit('Bob')];
      await expect.poll(members(ann), PATIENT).toEqual(['Ann', 'Bob']);
      await bob.getByRole('button', { name: 'Leave' }).click();
      await expect.poll(members(ann), PATIENT).toEqual(['Ann']);
      await say(ann, 'where are you?');
      await bob.getByRole('button', { name: 'Enter' }).click();
      await expect.poll(messages(bob), PATIENT).toEqual(['Ann: where are you?']);
      await expect.poll(members(ann), PATIENT).toEqual(['Ann', 'Bob']);
    });
  });
});
