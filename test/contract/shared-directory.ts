import type { Answerer, Directory } from '../../src/core/ports/directory.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { type DirectorySubject, Holding } from './directory.ts';

export interface SharedDirectorySubject extends DirectorySubject {
  /** The server does not answer until `mends`. It loses nothing. */
  breaks(): void;
  mends(): void;
}

/** What the directories of several pods must hold together; each adapter that connects pods runs it unchanged. */
export function sharedDirectoryContract(name: string, subject: SharedDirectorySubject): void {
  describe(`${name} lets pods ask each other`, () => {
    const heard: string[] = [];
    let here: Directory;

    const named =
      (pod: string): Answerer =>
      async (question) => {
        heard.push(`${pod} ${question}`);
        if (question === `only ${pod}` || question === 'all') return `${pod} says`;
        if (question === 'long') return pod.repeat(100_000);
        return question.startsWith('only') ? '' : undefined;
      };

    beforeEach(async () => {
      heard.length = 0;
      here = await subject.open(new Holding(), named('a'));
      await subject.open(new Holding(), named('b'));
      await subject.open(new Holding(), named('c'));
    });

    test('each living pod answers, the asking one first', async () => {
      const { answers, missing } = await here.ask('all');
      expect(missing).toBeUndefined();
      expect(answers[0]).toBe('a says');
      expect(answers.toSorted()).toEqual(['a says', 'b says', 'c says']);
      expect(heard.toSorted()).toEqual(['a all', 'b all', 'c all']);
    });

    test('the first answer that is enough ends the question', async () => {
      const isEnough = (answer: string): boolean => answer !== '';
      expect(await here.ask('only c', isEnough)).toEqual({
        answers: expect.arrayContaining(['c says']) as unknown,
      });
      expect((await here.ask('only d', isEnough)).answers).toEqual(['', '', '']);
    });

    test('answers of any text and of 100,000 characters come whole', async () => {
      const { answers } = await here.ask('long');
      expect(answers.map((answer) => answer.length)).toEqual([100_000, 100_000, 100_000]);
    });

    test('a pod that cannot answer is missing, and the others have answered', async () => {
      expect(await here.ask('unknown')).toEqual({ answers: [], missing: 'silent' });
    });

    test('a pod that has stopped is not missed', async () => {
      const last = await subject.open(new Holding(), named('d'));
      expect((await here.ask('all')).answers).toHaveLength(4);
      await last.stop();
      const { answers, missing } = await here.ask('all');
      expect(answers).toHaveLength(3);
      expect(missing).toBeUndefined();
    });

    test('while the server is away, this pod alone answers', async () => {
      subject.breaks();
      const { answers, missing } = await here.ask('all');
      expect(answers).toEqual(['a says']);
      expect(missing).not.toBeUndefined();
      subject.mends();
    });
  });
}
