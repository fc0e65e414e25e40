import { describe, expect, test } from 'vitest';
import { AnswerTimeout } from '../../../src/engines/redis/connection/answer-timeout.ts';
import { TestClock } from '../../support/test-clock.ts';
import { turns } from '../../support/test-pod.ts';

/** A connection that counts sent commands and answers. */
class Line {
  readonly clock = new TestClock();
  over = 0;
  readonly patience = new AnswerTimeout(this.clock, () => (this.over += 1));

  /** In steps, with a turn of the event loop between them. */
  async passes(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 50) {
      this.clock.advance(50);
      await turns();
    }
  }
}

describe('A command', () => {
  test('times out after two seconds without an answer, not before, and once', async () => {
    const line = new Line();
    line.patience.sent();
    await line.passes(1_950);
    expect(line.over).toBe(0);
    await line.passes(300);
    expect(line.over).toBe(1);
    await line.passes(5_000);
    expect(line.over).toBe(1);
  });

  test('times out even if others are answered meanwhile, each after more than two seconds', async () => {
    const line = new Line();
    const answers: number[] = [];
    for (let at = 0; at < 10_000 && line.over === 0; at += 100) {
      line.patience.sent();
      answers.push(at + 2_600);
      while ((answers[0] ?? Infinity) <= at) {
        answers.shift();
        line.patience.answered();
      }
      await line.passes(100);
    }
    expect(line.over).toBe(1);
  });

  test('does not time out if it is answered within two seconds, among many others, and after any pause', async () => {
    const line = new Line();
    for (let round = 0; round < 20; round += 1) {
      for (let n = 0; n < 10; n += 1) line.patience.sent();
      await line.passes(1_900);
      for (let n = 0; n < 10; n += 1) line.patience.answered();
      await line.passes(round * 100);
    }
    expect(line.over).toBe(0);
  });

  test('does not time out because this process stood still', async () => {
    const line = new Line();
    line.patience.sent();
    await line.passes(500);
    line.clock.advance(10_000);
    line.patience.answered();
    await line.passes(3_000);
    expect(line.over).toBe(0);
    line.patience.sent();
    line.clock.stall(60_000);
    await line.passes(1_500);
    expect(line.over).toBe(0);
  });

  test('does not time out after its connection was lost', async () => {
    const line = new Line();
    line.patience.sent();
    await line.passes(1_000);
    line.patience.reset();
    await line.passes(3_000);
    line.patience.sent();
    await line.passes(1_900);
    expect(line.over).toBe(0);
  });
});
