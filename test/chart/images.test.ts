import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { CHART_VALUES, NAMING, nameOf, raised, readImages } from '../../scripts/images.ts';
import { find, render } from './helm.ts';

const ROOT = join(import.meta.dirname, '../..');
const images = readImages();

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

test.each(images)('$repository has a tag that names one version, or a digest', ({ tag, digest }) => {
  expect(tag).toMatch(/^v?\d+\.\d+\.\d+(-[\w.-]+)?$/);
  expect(digest).toMatch(/^(sha256:[0-9a-f]{64})?$/);
});

test.each([...NAMING, CHART_VALUES])('%s names images as images.yaml has them', (file) => {
  expect(read(file)).toBe(raised(file, read(file), images));
});

test('no image is named that images.yaml has not, but for that of the gateway', () => {
  const stages = [...read('Dockerfile').matchAll(/^FROM \S+ AS (\S+)$/gm)].map(([, stage = '']) => stage);
  const known = [...images.map(nameOf), ...stages];
  const named = NAMING.flatMap((file) =>
    [...read(file).matchAll(/^\s*(?:- )?(?:image: |FROM )([^\s#]+)/gm)].map(([, image = '']) => image),
  );
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((image) => !known.includes(image) && !/crosspod\/crosspod:/.test(image))).toEqual([]);
});

test('what is raised is raised everywhere, digest and all', () => {
  const digest = `sha256:${'ab'.repeat(32)}`;
  const higher = images.map((image) => ({ ...image, tag: '9.9.9', digest }));
  for (const file of NAMING) {
    const text = raised(file, read(file), higher);
    for (const image of images) expect(text).not.toContain(nameOf(image));
    expect(raised(file, text, images)).toBe(read(file));
  }
  const { redis } = parse(raised(CHART_VALUES, read(CHART_VALUES), higher));
  expect(redis.image).toMatchObject({ tag: '9.9.9', digest });
});

test('the chart installs the Redis of images.yaml', async () => {
  const [redis] = images.filter(({ repository }) => repository.endsWith('/redis'));
  const { containers, initContainers } = find(await render(), 'StatefulSet', 'r-crosspod-redis')['spec']
    .template.spec;
  for (const { image } of [...containers, ...initContainers]) expect(image).toBe(redis && nameOf(redis));
});
