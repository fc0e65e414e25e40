import { expect, test } from 'vitest';
import { Publications } from '../../../src/core/delivery/publications.ts';
import type { Published } from '../../../src/core/ports/broker.ts';
import { turns } from '../../support/test-pod.ts';

/** Publishes as publish-command.ts does. */
async function inOrder(
  publications: Publications,
  isStored: boolean,
  publish: () => Promise<Published>,
): Promise<Published> {
  try {
    return await publications.inOrder(isStored, publish);
  } finally {
    publications.ended();
  }
}

test('what is kept goes out at once, what is not waits for what is kept, and what is kept then waits for that', async () => {
  const publications = new Publications();
  const begun: string[] = [];
  const answers = new Map<string, (published: Published) => void>();
  const publish = (name: string, kept: boolean): void => {
    void inOrder(publications, kept, () => {
      begun.push(name);
      return new Promise((resolve) => answers.set(name, resolve));
    });
  };
  const answer = async (...names: string[]): Promise<void> => {
    for (const name of names) answers.get(name)?.({ id: name, duplicate: false });
    await turns();
  };
  for (const name of ['k1', 'k2', 'e1', 'e2', 'k3', 'k4', 'e3']) publish(name, name.startsWith('k'));
  expect(begun).toEqual(['k1', 'k2']);
  await answer('k1');
  expect(begun).toEqual(['k1', 'k2']);
  await answer('k2');
  expect(begun.slice(2)).toEqual(['e1']);
  await answer('e1');
  await answer('e2');
  expect(begun.slice(3)).toEqual(['e2', 'k3', 'k4']);
  await answer('k3', 'k4');
  expect(begun.slice(6)).toEqual(['e3']);
  await answer('e3');
  expect(publications.isBusy).toBe(false);
});

test('what is not kept waits until all that is kept has its answer, whichever room answers first', async () => {
  const publications = new Publications();
  const [slow, fast] = [Promise.withResolvers<Published>(), Promise.withResolvers<Published>()];
  void inOrder(publications, true, () => slow.promise);
  void inOrder(publications, true, () => fast.promise);
  let begun = false;
  const fleeting = inOrder(publications, false, () => {
    begun = true;
    return Promise.resolve({ id: 'e', duplicate: false });
  });
  fast.resolve({ id: 'newest', duplicate: false });
  await turns();
  expect(begun).toBe(false);
  slow.resolve({ id: 'earlier', duplicate: false });
  expect(await fleeting).toMatchObject({ id: 'e' });
});

test('what fails holds up nobody', async () => {
  const publications = new Publications();
  const failed = inOrder(publications, true, () => Promise.reject(new Error('no')));
  const next = inOrder(publications, false, () => Promise.resolve({ id: 'e', duplicate: false }));
  await expect(failed).rejects.toThrow('no');
  expect(await next).toMatchObject({ id: 'e' });
});

test('what raises at once is the failure of its own publication, also where it had to wait', async () => {
  const publications = new Publications();
  const raise = (): Promise<Published> => {
    throw new Error('no');
  };
  const kept = Promise.withResolvers<Published>();
  const first = inOrder(publications, true, () => kept.promise);
  const failed = inOrder(publications, false, raise);
  const next = inOrder(publications, false, () => Promise.resolve({ id: 'e', duplicate: false }));
  kept.resolve({ id: 'k', duplicate: false });
  await expect(failed).rejects.toThrow('no');
  expect([await first, await next]).toMatchObject([{ id: 'k' }, { id: 'e' }]);
  expect(publications.isBusy).toBe(false);
});
